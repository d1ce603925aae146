//! Converts arguments to Rust's types. An error names the argument and shows nothing of it, since it may be
//! a secret: what Python itself raises for a `str` that is no Unicode text holds the whole of it.

use std::path::PathBuf;

use pyo3::PyTypeCheck;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMapping, PyMemoryView, PyString};

use super::error::raise;
use crate::Error;
use crate::binding::held;

/// An argument that may be left out.
pub(super) type Argument<'py> = Option<Bound<'py, PyAny>>;

pub(super) fn optional<'a, T>(
    name: &str,
    argument: &'a Argument<'_>,
    read: impl FnOnce(&str, &'a Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Option<T>> {
    argument.as_ref().map(|argument| read(name, argument)).transpose()
}

pub(super) fn text<'a>(name: &str, argument: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    let text = argument.cast::<PyString>().map_err(|_| wrong_type(name, "str", argument))?;
    text.to_str().map_err(|_| not_unicode(name, argument.py()))
}

pub(super) fn owned(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<String> {
    text(name, argument).map(str::to_owned)
}

/// Any iterable of `str` but a `str`, whose items are characters.
pub(super) fn hosts(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let expected = "a list of str, such as ['api.clazar.io']";
    if argument.is_instance_of::<PyString>() {
        return Err(wrong(name, expected, "a str on its own"));
    }
    let items = argument.try_iter().map_err(|_| wrong(name, expected, &type_of(argument)))?;
    let host = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        if !item.is_instance_of::<PyString>() {
            return Err(wrong(name, expected, &format!("one of {}", type_of(&item))));
        }
        owned(name, &item)
    };
    items.map(host).collect()
}

/// A mapping of `str` to `str`.
pub(super) fn headers(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let mapping = argument.cast::<PyMapping>().map_err(|_| wrong_type(name, "dict", argument))?;
    let header = |item: Bound<'_, PyAny>| {
        let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        Ok((owned(name, &key)?, owned(name, &value)?))
    };
    mapping.items()?.iter().map(header).collect()
}

pub(super) fn path(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let py = argument.py();
    argument.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyUnicodeError>(py) {
            not_unicode(name, py)
        } else if error.is_instance_of::<PyTypeError>(py) {
            wrong_type(name, "str or os.PathLike", argument)
        } else {
            error
        }
    })
}

pub(super) fn number(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<f64> {
    let py = argument.py();
    let wrong = |error: PyErr| {
        if error.is_instance_of::<PyTypeError>(py) {
            wrong_type(name, "a number", argument)
        } else {
            error
        }
    };
    match held(|| argument.extract::<f64>()) {
        // An int larger than any float.
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(f64::INFINITY),
        outcome => outcome.map_err(wrong),
    }
}

pub(super) fn whole_number(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<u16> {
    let py = argument.py();
    argument.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyTypeError>(py) {
            return wrong_type(name, "int", argument);
        }
        let text = format!("the {name} is not a whole number from 0 to 65535; give one");
        raise(py, &Error::invalid(text))
    })
}

pub(super) fn flag(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    argument.extract().map_err(|_| wrong_type(name, "bool", argument))
}

pub(super) fn callable(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if !argument.is_callable() {
        return Err(wrong_type(name, "a callable", argument));
    }
    if is_coroutine_function(argument)? {
        return Err(wrong(name, "a plain callable", "a coroutine function"));
    }
    Ok(argument.clone().unbind())
}

/// Also of an object that is called through a method of its class.
fn is_coroutine_function(argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    held(|| {
        let test = argument.py().import("inspect")?.getattr("iscoroutinefunction")?;
        let method = argument.get_type().getattr("__call__")?;
        Ok(test.call1((argument,))?.is_truthy()? || test.call1((method,))?.is_truthy()?)
    })
}

pub(super) fn bytes(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = argument.cast::<PyBytes>() {
        Ok(bytes.as_bytes().to_vec())
    } else if let Ok(bytes) = argument.cast::<PyByteArray>() {
        Ok(bytes.to_vec())
    } else if argument.is_instance_of::<PyMemoryView>() {
        argument.call_method0("tobytes")?.extract()
    } else {
        Err(wrong_type(name, "bytes", argument))
    }
}

/// An object of a class of this module; `class` is its name.
pub(super) fn instance<'a, 'py, T: PyTypeCheck>(
    name: &str,
    class: &str,
    argument: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, T>> {
    argument.cast::<T>().map_err(|_| wrong_type(name, class, argument))
}

pub(super) fn wrong_type(name: &str, expected: &str, argument: &Bound<'_, PyAny>) -> PyErr {
    wrong(name, expected, &type_of(argument))
}

/// In Python's own words.
fn wrong(name: &str, expected: &str, given: &str) -> PyErr {
    PyTypeError::new_err(format!("{name} must be {expected}, not {given}"))
}

fn type_of(argument: &Bound<'_, PyAny>) -> String {
    argument.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string())
}

fn not_unicode(name: &str, py: Python<'_>) -> PyErr {
    let text = format!(
        "{name} holds a lone surrogate, which os.environ makes of a byte that is not UTF-8; \
         give it as UTF-8 text"
    );
    raise(py, &Error::invalid(text))
}
