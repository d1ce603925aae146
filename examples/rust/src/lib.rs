//! How clients of other crates carry the token: each file is a recipe to copy.

pub mod reqwest;
pub mod tower;
pub mod ureq;
