//! Visits every state of a model, those after the fewest steps first.

use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub(super) trait Model {
    type State: Clone + Eq + Hash;
    type Step: Copy + Debug;
    /// What is wrong with a step that must not be possible.
    type Broken: Display;

    fn start(&self) -> Self::State;
    /// What can happen next.
    fn steps(&self, state: &Self::State) -> Vec<Self::Step>;
    fn after(&self, state: &Self::State, step: Self::Step) -> Result<Self::State, Self::Broken>;
    /// Brings states that differ in names only into one form; gives for each place the place that its
    /// content had before.
    fn canonical(&self, state: &mut Self::State) -> Vec<usize>;
    /// A step, where `names[place]` is how the trace calls what is at a place.
    fn tell(&self, state: &Self::State, step: Self::Step, names: &[usize]) -> String;
    /// What the largest values are reported of.
    fn measure(&self, state: &Self::State) -> [u8; 2];
}

/// What a search saw.
pub(super) struct Figures {
    pub(super) states: usize,
    pub(super) transitions: usize,
    /// Of the state that takes the most steps to reach.
    pub(super) depth: usize,
    pub(super) time: Duration,
    pub(super) largest: [u8; 2],
}

/// The shortest way to something that must not be.
pub(super) struct Counterexample {
    pub(super) why: String,
    pub(super) steps: Vec<String>,
}

/// How a state was reached: from which, and by which step.
type Origin<Step> = Option<(u32, Step)>;

pub(super) fn explore<M: Model>(model: &M) -> (Figures, Option<Counterexample>) {
    let since = Instant::now();
    let mut first = model.start();
    model.canonical(&mut first);
    let mut figures = Figures {
        states: 0,
        transitions: 0,
        depth: 0,
        time: Duration::ZERO,
        largest: model.measure(&first),
    };
    let mut origins: Vec<Origin<M::Step>> = vec![None];
    let first = Rc::new(first);
    let mut known = HashSet::from([first.clone()]);
    let mut layer = vec![(0, first)];
    let mut broken = None;
    'search: while !layer.is_empty() {
        let mut next = Vec::new();
        for (number, state) in &layer {
            for step in model.steps(state) {
                figures.transitions += 1;
                let mut after = match model.after(state, step) {
                    Ok(after) => after,
                    Err(why) => {
                        broken = Some((*number, step, why.to_string()));
                        break 'search;
                    }
                };
                model.canonical(&mut after);
                if known.contains(&after) {
                    continue;
                }
                let measured = model.measure(&after);
                figures.largest = std::array::from_fn(|i| figures.largest[i].max(measured[i]));
                let after = Rc::new(after);
                known.insert(after.clone());
                next.push((origins.len() as u32, after));
                origins.push(Some((*number, step)));
            }
        }
        figures.depth += usize::from(!next.is_empty());
        layer = next;
    }
    figures.states = origins.len();
    figures.time = since.elapsed();
    let counterexample = broken.map(|(number, step, why)| {
        let steps = trace(model, &origins, number, step);
        Counterexample { why, steps }
    });
    (figures, counterexample)
}

/// The steps from the first state to `last`, which is one from the state with this number.
fn trace<M: Model>(
    model: &M,
    origins: &[Origin<M::Step>],
    mut number: u32,
    last: M::Step,
) -> Vec<String> {
    let mut steps = vec![last];
    while let Some((from, step)) = origins[number as usize] {
        steps.push(step);
        number = from;
    }
    let mut state = model.start();
    let mut names = model.canonical(&mut state);
    let mut told = Vec::new();
    for step in steps.into_iter().rev() {
        told.push(model.tell(&state, step, &names));
        if let Ok(mut after) = model.after(&state, step) {
            let places = model.canonical(&mut after);
            names = places.into_iter().map(|place| names[place]).collect();
            state = after;
        }
    }
    told
}
