use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::Uint8ArraySlice;

use super::raw;
use super::thrown::Thrown;

/// The input of an operation, or several inputs one after the other. Results begin here, too.
pub const INPUT: Range<usize> = 0..65_536;
/// Keys, signatures and MACs that belong to the input; the results of a batch begin here.
pub const SIDE: Range<usize> = 65_536..98_304;
/// The lengths of a batch, as 32-bit numbers in the byte order of this machine.
pub const LENGTHS: Range<usize> = 98_304..102_400;

/// Up to here bytes are copied in blocks that stay in registers: for 64 bytes that is 12 ns less than the
/// calls of memset and memmove.
const SMALL_BYTES: usize = 512;
const BLOCK_BYTES: usize = 32;

/// Memory that JavaScript and this engine share, since passing a small array costs more than hashing it. `arena.js` has
/// the same numbers.
///
/// JavaScript writes to it whenever it runs, so it consists of cells, and all reading is copying.
pub struct Arena(Rc<[Cell<u8>]>);

impl Arena {
    pub fn new() -> Self {
        Self((0..LENGTHS.end).map(|_| Cell::new(0)).collect())
    }

    /// The arena as a `Uint8Array`.
    pub fn share<'env>(&self, env: &'env Env) -> napi::Result<Uint8ArraySlice<'env>> {
        raw::share(env, Rc::clone(&self.0))
    }

    /// Appends a copy of `range` to `out`.
    pub fn append_to(&self, out: &mut Vec<u8>, range: Range<usize>) -> Result<(), Thrown> {
        let cells = self.cells(range)?;
        if cells.len() > SMALL_BYTES {
            let start = out.len();
            out.resize(start + cells.len(), 0);
            out[start..].iter_mut().zip(cells).for_each(|(byte, cell)| *byte = cell.get());
            return Ok(());
        }
        out.reserve(cells.len());
        let (blocks, rest) = cells.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            out.extend_from_slice(&copy(block));
        }
        out.extend(rest.iter().map(Cell::get));
        Ok(())
    }

    /// A copy of the `N` bytes from `start` on.
    pub fn read<const N: usize>(&self, start: usize) -> Result<[u8; N], Thrown> {
        let (blocks, _) = self.cells(start..start + N)?.as_chunks();
        blocks.first().map(copy).ok_or_else(outside)
    }

    pub fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Thrown> {
        for (cell, byte) in self.cells(start..start + bytes.len())?.iter().zip(bytes) {
            cell.set(*byte);
        }
        Ok(())
    }

    /// Overwrites a secret with zeros.
    pub fn wipe(&self, range: Range<usize>) -> Result<(), Thrown> {
        self.cells(range)?.iter().for_each(|cell| cell.set(0));
        Ok(())
    }

    /// Returns whether `bytes` overlap the arena.
    pub fn overlaps(&self, bytes: &[u8]) -> bool {
        let (arena, bytes) = (self.0.as_ptr_range(), bytes.as_ptr_range());
        arena.start.cast() < bytes.end && bytes.start < arena.end.cast()
    }

    fn cells(&self, range: Range<usize>) -> Result<&[Cell<u8>], Thrown> {
        self.0.get(range).ok_or_else(outside)
    }
}

fn copy<const N: usize>(cells: &[Cell<u8>; N]) -> [u8; N] {
    cells.each_ref().map(Cell::get)
}

fn outside() -> Thrown {
    Thrown::Fault("a place outside the arena".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_is_not_left_on_either_side() {
        let arena = Arena::new();
        let mut out = Vec::new();
        assert!(arena.append_to(&mut out, 0..LENGTHS.end + 1).is_err());
        assert!(arena.read::<2>(LENGTHS.end - 1).is_err());
        assert!(arena.write(LENGTHS.end - 1, &[1, 2]).is_err());
        assert!(arena.wipe(LENGTHS.end..LENGTHS.end + 1).is_err());
        arena.write(LENGTHS.end - 2, &[1, 2]).unwrap();
        assert_eq!(arena.read(LENGTHS.end - 3).unwrap(), [0, 1, 2]);
        arena.append_to(&mut out, LENGTHS.end - 2..LENGTHS.end).unwrap();
        assert_eq!(out, [1, 2]);
        arena.wipe(LENGTHS.end - 1..LENGTHS.end).unwrap();
        assert_eq!(arena.read(LENGTHS.end - 2).unwrap(), [1, 0]);
    }

    #[test]
    fn bytes_come_back_at_any_place_and_length() {
        let (arena, mut out) = (Arena::new(), vec![9]);
        for length in [0, 1, 31, 32, 33, 100, SMALL_BYTES, SMALL_BYTES + 1, 5_000] {
            let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
            arena.write(7, &bytes).unwrap();
            arena.append_to(&mut out, 7..7 + length).unwrap();
            assert_eq!(out.split_off(1), bytes);
        }
        assert_eq!(out, [9]);
    }

    #[test]
    fn bytes_elsewhere_do_not_overlap_the_arena() {
        let arena = Arena::new();
        assert!(!arena.overlaps(&[1, 2, 3]));
        assert!(!arena.overlaps(&[]));
    }
}
