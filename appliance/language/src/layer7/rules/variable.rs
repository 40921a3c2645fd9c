//! Actions on variables.

use lanai_diagnostics::Span;
use lanai_model::layer7::{Action, VarCondition, Variable};

use super::reading::Reading;
use crate::layer7::sample;
use crate::value::shown;

pub(super) fn set(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let (variable, conditions) = target(reading)?;
    Some(Action::SetVar {
        variable,
        conditions,
        value: reading.expression()?,
    })
}

pub(super) fn set_format(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let (variable, conditions) = target(reading)?;
    let [value] = reading.words("expects a format")?;
    Some(Action::SetVarFormat {
        variable,
        conditions,
        value: reading.format(value)?,
    })
}

pub(super) fn unset(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let (variable, _) = target(reading)?;
    Some(Action::UnsetVar(variable))
}

/// The variable and the conditions in the parentheses of the action.
fn target(reading: &mut Reading<'_, '_>) -> Option<(Variable, Vec<VarCondition>)> {
    let word = reading.word;
    let Some((inner, start)) = reading.inner() else {
        let text = word.text();
        let name = text.split_once('(').map_or(text.as_ref(), |(name, _)| name);
        let message = format!(
            "invalid or incomplete action '{}'. Expects 'set-var(<var-name>)', \
             'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'",
            shown(name.as_bytes())
        );
        return reading.fault(word.span, message);
    };
    let mut parts = inner.split(|byte| *byte == b',');
    let name = parts.next().unwrap_or_default();
    let mut at = start + name.len() + 1;
    let variable = match sample::variable(name) {
        Ok(variable) => variable,
        Err(message) => {
            let place = word.span_of(start..start + name.len());
            return reading.fault(place, message);
        }
    };
    let mut conditions = Vec::new();
    for part in parts {
        let place: Span = word.span_of(at..at + part.len());
        match condition(part) {
            Some(condition) => conditions.push(condition),
            None => {
                let message = format!("unknown condition \"{}\"", shown(part));
                return reading.fault(place, message);
            }
        }
        at += part.len() + 1;
    }
    Some((variable, conditions))
}

fn condition(text: &[u8]) -> Option<VarCondition> {
    Some(match text {
        b"ifexists" => VarCondition::IfExists,
        b"ifnotexists" => VarCondition::IfNotExists,
        b"ifempty" => VarCondition::IfEmpty,
        b"ifnotempty" => VarCondition::IfNotEmpty,
        b"ifset" => VarCondition::IfSet,
        b"ifnotset" => VarCondition::IfNotSet,
        b"ifgt" => VarCondition::IfGreater,
        b"iflt" => VarCondition::IfLess,
        _ => return None,
    })
}
