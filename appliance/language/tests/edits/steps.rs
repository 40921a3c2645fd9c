//! Edits, asked for twice: of a list of sections, and of a text.

use lanai_language::edit::{Edit, LinePlace, Place};
use proptest::prelude::*;
use proptest::sample::select;

use super::configuration::{Kind, Line, Section, any_option, back, front, line};

/// An edit of what there is then; numbers are taken modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    AddLine(Line, Target),
    ChangeLine(u8, Line),
    RemoveLine(u8),
    MoveLine(u8, Target),
    SetWord(u8, u8, String),
    SetOption(u8, Kind, Vec<String>),
    RemoveOption(u8, Kind, String),
    AddSection(Section, SectionTarget),
    RemoveSection(u8),
    MoveSection(u8, SectionTarget),
}

/// Where a line goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Before(u8),
    After(u8),
    EndOf(u8),
}

/// Where a section goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SectionTarget {
    Before(u8),
    After(u8),
    End,
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        any::<u8>().prop_map(Target::Before),
        any::<u8>().prop_map(Target::After),
        any::<u8>().prop_map(Target::EndOf),
    ]
}

fn section_target() -> impl Strategy<Value = SectionTarget> {
    prop_oneof![
        any::<u8>().prop_map(SectionTarget::Before),
        any::<u8>().prop_map(SectionTarget::After),
        Just(SectionTarget::End),
    ]
}

/// Values that need no quotes, and values that do.
fn value() -> impl Strategy<Value = String> {
    let values = [
        "10",
        "20",
        "http",
        "tcp",
        "b0",
        "b1",
        "s1",
        "1s",
        "weight",
        "check",
        ":8080",
        "a b",
        "",
        "#",
        "it's",
        "\"",
        "${HOME}",
        "$x \"y\" it's",
        "back\\",
        "\\n",
        "[x]",
        "é",
        "\t",
    ];
    select(values.map(str::to_owned).to_vec())
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let at = any::<u8>;
    prop_oneof![
        2 => (line(), target()).prop_map(|(line, to)| Step::AddLine(line, to)),
        1 => (at(), line()).prop_map(|(at, line)| Step::ChangeLine(at, line)),
        2 => at().prop_map(Step::RemoveLine),
        2 => (at(), target()).prop_map(|(at, to)| Step::MoveLine(at, to)),
        2 => (at(), at(), value()).prop_map(|(at, word, value)| Step::SetWord(at, word, value)),
        3 => (at(), any_option()).prop_map(|(at, (kind, option))| Step::SetOption(at, kind, option)),
        2 => (at(), any_option()).prop_map(|(at, (kind, option))| Step::RemoveOption(at, kind, option[0].clone())),
        1 => (back("b2"), section_target()).prop_map(|(it, to)| Step::AddSection(it, to)),
        1 => (front("f2"), section_target()).prop_map(|(it, to)| Step::AddSection(it, to)),
        1 => at().prop_map(Step::RemoveSection),
        1 => (at(), section_target()).prop_map(|(at, to)| Step::MoveSection(at, to)),
    ]
}

/// Which line of a list is which: heads of sections too.
struct Places<'a> {
    /// Section, and line of it; `None` is its head.
    all: Vec<(usize, Option<usize>)>,
    numbers: &'a [u32],
}

impl<'a> Places<'a> {
    fn of(sections: &[Section], numbers: &'a [u32]) -> Self {
        let mut all = Vec::new();
        for (at, section) in sections.iter().enumerate() {
            all.push((at, None));
            all.extend((0..section.lines.len()).map(|line| (at, Some(line))));
        }
        assert_eq!(all.len(), numbers.len(), "a line was lost, or came");
        Self { all, numbers }
    }

    /// One of the lines that `is` says yes to: its section, its place there, its number.
    fn pick(
        &self,
        at: u8,
        is: impl Fn(usize, Option<usize>) -> bool,
    ) -> Option<(usize, Option<usize>, u32)> {
        let fit: Vec<usize> = (0..self.all.len())
            .filter(|at| is(self.all[*at].0, self.all[*at].1))
            .collect();
        let chosen = *fit.get(usize::from(at) % fit.len().max(1))?;
        let (section, line) = self.all[chosen];
        Some((section, line, self.numbers[chosen]))
    }

    /// A line below a head.
    fn line(&self, at: u8) -> Option<(usize, usize, u32)> {
        let (section, line, number) = self.pick(at, |_, line| line.is_some())?;
        Some((section, line?, number))
    }

    fn head(&self, at: u8) -> Option<(usize, u32)> {
        let (section, _, number) = self.pick(at, |_, line| line.is_none())?;
        Some((section, number))
    }

    /// Where a line goes: section, place there, and what an edit calls it.
    fn target(&self, to: Target, sections: &[Section]) -> Option<(usize, usize, LinePlace)> {
        Some(match to {
            Target::Before(at) => {
                let (section, line, number) = self.line(at)?;
                (section, line, LinePlace::Before(number))
            }
            Target::After(at) => {
                let (section, line, number) = self.pick(at, |_, _| true)?;
                let behind = line.map_or(0, |line| line + 1);
                (section, behind, LinePlace::After(number))
            }
            Target::EndOf(at) => {
                let (section, number) = self.head(at)?;
                let end = sections[section].lines.len();
                (section, end, LinePlace::EndOf(number))
            }
        })
    }

    fn section_target(&self, to: SectionTarget) -> Option<(usize, Place)> {
        Some(match to {
            SectionTarget::Before(at) => {
                let (section, number) = self.head(at)?;
                (section, Place::Before(number))
            }
            SectionTarget::After(at) => {
                let (section, number) = self.head(at)?;
                (section + 1, Place::After(number))
            }
            SectionTarget::End => {
                let count = self.all.iter().filter(|(_, line)| line.is_none()).count();
                (count, Place::End)
            }
        })
    }
}

pub(crate) fn bytes(words: &[String]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.clone().into_bytes()).collect()
}

impl Step {
    /// Changes the list, and says the same of the text whose lines have these numbers. `None` where the
    /// list has nothing of the kind.
    pub(crate) fn ask(
        &self,
        number: usize,
        sections: &mut Vec<Section>,
        numbers: &[u32],
    ) -> Option<Edit> {
        let places = Places::of(sections, numbers);
        match self {
            Self::AddLine(..) | Self::ChangeLine(..) | Self::RemoveLine(_) | Self::MoveLine(..) => {
                self.ask_line(number, sections, &places)
            }
            Self::SetWord(..) | Self::SetOption(..) | Self::RemoveOption(..) => {
                self.ask_word(sections, &places)
            }
            Self::AddSection(..) | Self::RemoveSection(_) | Self::MoveSection(..) => {
                self.ask_section(sections, &places)
            }
        }
    }

    fn ask_line(
        &self,
        number: usize,
        sections: &mut [Section],
        places: &Places<'_>,
    ) -> Option<Edit> {
        let fresh = |line: &Line| {
            let mut line = line.clone();
            if line.words[0] == "server" {
                line.words[1] = format!("new{number}");
            }
            line
        };
        Some(match self {
            Self::AddLine(line, to) => {
                let (section, at, place) = places.target(*to, sections)?;
                let line = fresh(line);
                let words = bytes(&line.all());
                sections[section].lines.insert(at, line);
                Edit::AddLine { words, place }
            }
            Self::ChangeLine(at, line) => {
                let (section, at, number) = places.line(*at)?;
                let line = fresh(line);
                let words = bytes(&line.all());
                sections[section].lines[at] = line;
                Edit::ChangeLine {
                    line: number,
                    words,
                }
            }
            Self::RemoveLine(at) => {
                let (section, at, line) = places.line(*at)?;
                sections[section].lines.remove(at);
                Edit::RemoveLine { line }
            }
            Self::MoveLine(at, to) => {
                let (section, at, line) = places.line(*at)?;
                let (to_section, mut to, place) = places.target(*to, sections)?;
                let moved = sections[section].lines.remove(at);
                to -= usize::from(section == to_section && at < to);
                sections[to_section].lines.insert(to, moved);
                Edit::MoveLine { line, place }
            }
            _ => return None,
        })
    }

    fn ask_word(&self, sections: &mut [Section], places: &Places<'_>) -> Option<Edit> {
        let with_options = |at: u8, kind: Kind, sections: &[Section]| {
            places.pick(at, |section, line| {
                line.is_some_and(|line| sections[section].lines[line].kind() == Some(kind))
            })
        };
        Some(match self {
            Self::SetWord(at, word, value) => {
                let (section, at, line) = places.pick(*at, |_, _| true)?;
                let mut words = match at {
                    Some(at) => sections[section].lines[at].all(),
                    None => sections[section].head.clone(),
                };
                // Not the keyword; and one more than there are is a new one.
                let word = 1 + usize::from(*word) % words.len();
                match words.get_mut(word) {
                    Some(old) => *old = value.clone(),
                    None => words.push(value.clone()),
                }
                match at {
                    // Which of them are options now is not known.
                    Some(at) => {
                        sections[section].lines[at] = Line {
                            words,
                            options: Vec::new(),
                        }
                    }
                    None => sections[section].head = words,
                }
                Edit::SetWord {
                    line,
                    word,
                    value: value.clone().into_bytes(),
                }
            }
            Self::SetOption(at, kind, option) => {
                let (section, at, line) = with_options(*at, *kind, sections)?;
                let options = &mut sections[section].lines[at?].options;
                match options.iter_mut().rfind(|old| old[0] == option[0]) {
                    Some(old) => old.clone_from(option),
                    None => options.push(option.clone()),
                }
                Edit::SetOption {
                    line,
                    option: option[0].clone(),
                    arguments: bytes(&option[1..]),
                }
            }
            Self::RemoveOption(at, kind, option) => {
                let (section, at, line) = with_options(*at, *kind, sections)?;
                let options = &mut sections[section].lines[at?].options;
                options.retain(|old| old[0] != *option);
                Edit::RemoveOption {
                    line,
                    option: option.clone(),
                }
            }
            _ => return None,
        })
    }

    fn ask_section(&self, sections: &mut Vec<Section>, places: &Places<'_>) -> Option<Edit> {
        Some(match self {
            Self::AddSection(section, to) => {
                let (at, place) = places.section_target(*to)?;
                sections.insert(at, section.clone());
                let lines = section.lines.iter().map(|line| bytes(&line.all()));
                Edit::AddSection {
                    head: bytes(&section.head),
                    lines: lines.collect(),
                    place,
                }
            }
            Self::RemoveSection(at) => {
                let (at, line) = places.head(*at)?;
                sections.remove(at);
                Edit::RemoveSection { line }
            }
            Self::MoveSection(at, to) => {
                let (at, line) = places.head(*at)?;
                let (to, place) = places.section_target(*to)?;
                let named = match place {
                    Place::Before(named) | Place::After(named) => Some(named),
                    Place::End => None,
                };
                if named == Some(line) {
                    return None;
                }
                let section = sections.remove(at);
                sections.insert(to - usize::from(at < to), section);
                Edit::MoveSection { line, place }
            }
            _ => return None,
        })
    }
}
