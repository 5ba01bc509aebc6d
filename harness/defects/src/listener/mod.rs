//! An MLD listener's defects, by what they are about.

mod answer;
mod change;
mod form;
mod frames;
mod refuse;
mod version_1;

use crate::Defect;

/// An MLD listener's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [
        answer::DEFECTS,
        change::DEFECTS,
        form::DEFECTS,
        refuse::DEFECTS,
        version_1::DEFECTS,
    ]
    .concat()
}
