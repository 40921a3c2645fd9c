//! Which file of the set a path in a configuration means. One rule for check and engine.

use std::path::{Component, Path};

use crate::files::FileSet;

/// The name in `files` that a configuration's `path` means, if there is such a file.
///
/// A relative path is looked up first in `folder` (`ssl` for certificates, `maps`, `errors`), then
/// from the configuration directory; an absolute path counts if it lies inside the configuration
/// directory `root`. `.` components do not count, and a path with `..` means no file. Nothing
/// outside the set is ever read, so a revision is always complete.
pub fn resolve<'a>(files: &'a FileSet, root: &Path, folder: &str, path: &Path) -> Option<&'a str> {
    let inside = if path.is_absolute() {
        path.strip_prefix(root).ok()?
    } else {
        path
    };
    let mut parts = Vec::new();
    for component in inside.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let plain = parts.join("/");
    let in_folder = (!path.is_absolute()).then(|| format!("{folder}/{plain}"));
    let candidates = in_folder.into_iter().chain([plain]);
    candidates
        .into_iter()
        .find_map(|name| files.names().find(|other| *other == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<String> {
        let names = ["ssl/www.pem", "ssl/maps", "maps/hosts.map", "haproxy.cfg"];
        let files: FileSet = names.into_iter().map(|name| (name, "")).collect();
        resolve(&files, Path::new("/etc/lanai"), "ssl", Path::new(path)).map(str::to_owned)
    }

    #[test]
    fn a_relative_path_is_in_the_folder_or_in_the_directory() {
        assert_eq!(found("www.pem").as_deref(), Some("ssl/www.pem"));
        assert_eq!(found("ssl/www.pem").as_deref(), Some("ssl/www.pem"));
        assert_eq!(found("./ssl//./www.pem").as_deref(), Some("ssl/www.pem"));
        assert_eq!(found("maps/hosts.map").as_deref(), Some("maps/hosts.map"));
    }

    #[test]
    fn an_absolute_path_is_inside_the_directory() {
        assert_eq!(
            found("/etc/lanai/ssl/www.pem").as_deref(),
            Some("ssl/www.pem")
        );
        assert_eq!(found("/etc/lanai/www.pem"), None);
        assert_eq!(found("/etc/ssl/www.pem"), None);
    }

    #[test]
    fn nothing_outside_is_found() {
        for path in [
            "../lanai/ssl/www.pem",
            "ssl/../ssl/www.pem",
            "",
            "/",
            "..",
            "other.pem",
            "ssl",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
