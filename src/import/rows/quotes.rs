//! Where a row ends, by the quotes of RFC 4180: strictly, so that a wrong quote is found where it is.

use super::Line;

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Unclosed,
    TextAfterQuote,
    LoneReturn,
    TooLong,
}

pub(super) enum Step {
    /// The row ends with this line.
    Complete,
    /// A quoted cell goes on in the next line.
    Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: its end, or the first of two.
    Quote,
    /// After a carriage return that must be followed by a line feed.
    Return,
}

/// Where a row stands between its quotes.
pub(super) struct Quotes {
    state: State,
    /// Index of the present cell.
    pub(super) cell: usize,
    /// Line on which the present cell began.
    pub(super) opened: u64,
}

impl Quotes {
    /// At the beginning of a row.
    pub(super) fn new(line: u64) -> Self {
        Self { state: State::CellStart, cell: 0, opened: line }
    }

    /// Reads a line of the row.
    pub(super) fn feed(&mut self, line: &Line) -> Result<Step, Fault> {
        for byte in &line.bytes {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::CellStart | State::Quote, b'"') => State::Quoted,
                (State::CellStart | State::Plain | State::Quote, b',') => {
                    self.cell += 1;
                    self.opened = line.number;
                    State::CellStart
                }
                (State::CellStart | State::Plain | State::Quote | State::Return, b'\n') => State::CellStart,
                (State::CellStart | State::Plain | State::Quote, b'\r') => State::Return,
                (State::CellStart | State::Plain, _) => State::Plain,
                (State::Quote, _) => return Err(Fault::TextAfterQuote),
                (State::Return, _) => return Err(Fault::LoneReturn),
            };
        }
        Ok(if self.state == State::Quoted { Step::Open } else { Step::Complete })
    }
}
