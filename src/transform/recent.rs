//! Recent: the events of a list in a time window that ends now.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    age::AgeUnit,
    pairs::{list_rows, row_step},
    times,
};
use crate::{
    batch::{Column, Element, Mark, Type, time::TimeUnit},
    problem::Problems,
};

/// The positions, as a list of int64 from 0 on, of the events in a time window that ends now; `elements_at` takes what
/// stands there in lists beside the times. The first input is the list of the events' times, in any order: timestamps,
/// dates or int64. The second is now. An event without a time is left out. Of equal times the one later in the list
/// counts as the newer. Null where the list or now is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    /// What the inputs count: the unit of timestamps, "days" for dates.
    pub unit: TimeUnit,
    /// The greatest age of an event in the window; or "none", for no limit.
    pub within: Window,
    /// How many events at most, from 1 to 1048576: the newest in the window; or "none", for all.
    pub last: Last,
    /// What happens to events after now.
    pub future: FutureEvents,
    /// The order of the positions.
    pub order: EventOrder,
}

/// How far back a window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an object with \"age\" and \"in\", or \"none\"")]
pub enum Window {
    Limited(GreatestAge),
    Unlimited(NoLimit),
}

/// An age that is still in the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GreatestAge {
    /// A whole number. An event of exactly this age is in the window.
    pub age: u32,
    /// What the age counts.
    #[serde(rename = "in")]
    pub unit: AgeUnit,
}

/// How many events are taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a count or \"none\"")]
pub enum Last {
    Count(usize),
    All(NoLimit),
}

/// There is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoLimit {
    None,
}

/// What happens to events after now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FutureEvents {
    /// They are left out.
    Drop,
    /// They are in the window.
    Keep,
}

/// The order of positions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventOrder {
    /// That of the list.
    Listed,
    NewestFirst,
    OldestFirst,
}

/// The most events that are taken.
const COUNT_LIMIT: usize = 1 << 20;

impl Operation for Recent {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[events, now] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        if !events.list || now.list || !times::is_point(events) || !times::is_point(now) {
            let message = format!(
                "takes a list of timestamps, dates or int64 and now, a single one; its inputs are {events} and {now}"
            );
            problems.add("", message);
        } else {
            times::check_unit(inputs, self.unit, &mut problems);
        }
        let last = match self.last {
            Last::Count(count) => count,
            Last::All(NoLimit::None) => usize::MAX,
        };
        if matches!(self.last, Last::Count(count) if !(1..=COUNT_LIMIT).contains(&count)) {
            problems.add("last", format!("is {last}, must be from 1 to {COUNT_LIMIT} or \"none\""));
        }
        problems.or(())?;
        let output = Type::scalar(Element::Int64).listed().with_nullable(events.nullable || now.nullable);
        let Self { future, order, .. } = *self;
        Ok(Compiled::new(output, RecentKernel { greatest_age: self.greatest_age(), last, future, order }))
    }
}

impl Recent {
    /// The greatest age in the inputs' unit, rounded down: ages are whole numbers of it.
    fn greatest_age(&self) -> i64 {
        let Window::Limited(GreatestAge { age, unit }) = self.within else { return i64::MAX };
        let nanoseconds = i128::from(age) * i128::from(unit.nanoseconds());
        i64::try_from(nanoseconds / i128::from(self.unit.nanoseconds())).unwrap_or(i64::MAX)
    }
}

#[derive(Debug)]
struct RecentKernel {
    greatest_age: i64,
    last: usize,
    future: FutureEvents,
    order: EventOrder,
}

/// A time and its position.
type Event = (i64, u32);

impl Kernel for RecentKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let [events, of_now] = inputs else { return };
        let Some(list) = &events.list else { return };
        let (step, now_step) = (row_step(events), row_step(of_now));
        let mut rows = std::mem::take(out.list_mut());
        let (positions, marks) = out.int64_mut();
        let mut window = Vec::new();
        for row in 0..list_rows(inputs) {
            let (own, of_row) = (row * step, row * now_step);
            let mark = list.marks[own] | of_now.marks[of_row];
            if !mark.is_null() {
                self.collect(events, list.range(own), of_now.int64()[of_row], &mut window);
                self.cut_and_sort(&mut window);
                positions.extend(window.iter().map(|&(_, position)| i64::from(position)));
            }
            rows.push(positions.len(), mark);
        }
        marks.resize(positions.len(), Mark::PRESENT);
        out.list = Some(rows);
    }

    fn gives_lists(&self) -> bool {
        true
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl RecentKernel {
    /// Makes `window` the events in the window, in the list's order.
    fn collect(&self, events: &Column, of_row: std::ops::Range<usize>, now: i64, window: &mut Vec<Event>) {
        let oldest = now.saturating_sub(self.greatest_age);
        let newest = if self.future == FutureEvents::Keep { i64::MAX } else { now };
        // Without a limit, times further back than an age can be are in the window too.
        let oldest = if self.greatest_age == i64::MAX { i64::MIN } else { oldest };
        let (times, marks) = (&events.int64()[of_row.clone()], &events.marks[of_row]);
        window.clear();
        let events = times.iter().zip(marks).zip(0..);
        window.extend(
            events
                .filter(|&((&time, mark), _)| (oldest..=newest).contains(&time) && !mark.is_null())
                .map(|((&time, _), position)| (time, position)),
        );
    }

    /// Leaves the newest events, in the order of the result.
    fn cut_and_sort(&self, window: &mut Vec<Event>) {
        let is_cut = window.len() > self.last;
        if is_cut {
            window.select_nth_unstable_by_key(self.last - 1, |&event| Reverse(event));
            window.truncate(self.last);
        }
        match self.order {
            EventOrder::Listed if is_cut => window.sort_unstable_by_key(|&(_, position)| position),
            EventOrder::Listed => {}
            EventOrder::NewestFirst => window.sort_unstable_by_key(|&event| Reverse(event)),
            EventOrder::OldestFirst => window.sort_unstable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::ListRows, transform::check::integers};

    fn recent(age: u32, last: Last, order: EventOrder) -> Recent {
        let within = Window::Limited(GreatestAge { age, unit: AgeUnit::Minutes });
        Recent { unit: TimeUnit::Seconds, within, last, future: FutureEvents::Drop, order }
    }

    /// Of the events at 0, 300, null, 100, 300 and 500 seconds, and of a null list, at 400 seconds.
    fn run(recent: &Recent) -> Vec<i64> {
        let time = Type::scalar(Element::Int64);
        let compiled = recent.compile(&[time.listed(), time]).expect("good");
        let list = ListRows { offsets: vec![0, 6, 6], marks: vec![Mark::PRESENT, Mark::NULL] };
        let times = integers(&[Some(0), Some(300), None, Some(100), Some(300), Some(500)]);
        let mut out = Column::new(compiled.output);
        let now = integers(&[Some(400)]);
        compiled.kernel.run(&[&Column { list: Some(list), ..times }, &now], &mut out);
        let list = out.list.as_ref().expect("a list");
        assert_eq!(list.marks, [Mark::PRESENT, Mark::NULL]);
        assert_eq!(list.offsets[1..], [out.int64().len() as u32; 2]);
        assert_eq!(out.marks.len(), out.int64().len());
        out.int64().to_vec()
    }

    const ALL: Last = Last::All(NoLimit::None);

    #[test]
    fn the_window_holds_its_oldest_age_and_no_future() {
        assert_eq!(run(&recent(5, ALL, EventOrder::Listed)), [1, 3, 4]);
        assert_eq!(run(&recent(4, ALL, EventOrder::Listed)), [1, 4]);
        assert_eq!(run(&recent(0, ALL, EventOrder::Listed)), [0; 0]);
        let kept = Recent { future: FutureEvents::Keep, ..recent(4, ALL, EventOrder::Listed) };
        assert_eq!(run(&kept), [1, 4, 5]);
        let within = Window::Unlimited(NoLimit::None);
        assert_eq!(run(&Recent { within, ..recent(4, ALL, EventOrder::Listed) }), [0, 1, 3, 4]);
    }

    #[test]
    fn the_newest_are_taken_whatever_the_order_of_the_list() {
        let of = |count, order| run(&recent(60, Last::Count(count), order));
        assert_eq!(of(3, EventOrder::NewestFirst), [4, 1, 3]);
        assert_eq!(of(3, EventOrder::OldestFirst), [3, 1, 4]);
        assert_eq!(of(3, EventOrder::Listed), [1, 3, 4]);
        assert_eq!(of(1, EventOrder::Listed), [4]);
        assert_eq!(of(9, EventOrder::OldestFirst), [0, 3, 1, 4]);
    }

    #[test]
    fn no_time_overflows() {
        let time = Type::scalar(Element::Int64);
        for (within, expect) in [
            (Window::Unlimited(NoLimit::None), vec![0, 1]),
            (recent(1, ALL, EventOrder::Listed).within, vec![0]),
        ] {
            let of = Recent { within, ..recent(1, ALL, EventOrder::Listed) };
            let compiled = of.compile(&[time.listed(), time]).expect("good");
            let list = ListRows { offsets: vec![0, 2, 4], marks: vec![Mark::PRESENT; 2] };
            let times = integers(&[Some(i64::MIN), Some(i64::MAX), Some(i64::MIN), Some(i64::MAX)]);
            let mut out = Column::new(compiled.output);
            let now = integers(&[Some(i64::MIN), Some(i64::MAX)]);
            compiled.kernel.run(&[&Column { list: Some(list), ..times }, &now], &mut out);
            let second = out.list.as_ref().expect("a list").range(1);
            let first: &[i64] = &out.int64()[..second.start];
            assert_eq!(first, [0]);
            assert_eq!(out.int64()[second].len(), expect.len());
        }
    }

    #[test]
    fn takes_a_list_of_times_and_now() {
        let time = Type::scalar(Element::Int64);
        let of = recent(1, Last::Count(0), EventOrder::Listed);
        assert!(of.compile(&[time.listed(), time]).expect_err("last").to_string().contains("last"));
        let of = recent(1, ALL, EventOrder::Listed);
        assert!(of.compile(&[time, time]).is_err());
        assert!(of.compile(&[time.listed(), time.listed()]).is_err());
        assert!(of.compile(&[Type::scalar(Element::String).listed(), time]).is_err());
    }
}
