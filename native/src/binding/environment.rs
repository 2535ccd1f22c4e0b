use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use napi::Env;
use zeroize::Zeroize;

use super::arena::Arena;
use super::thrown::Thrown;
use crate::engine::ed25519::KeyCache;
use crate::engine::hmac::{HmacKey, KeyTable};

/// A buffer that grew beyond this size is freed.
const KEPT_BYTES: usize = 65_536;

/// The state of one JavaScript environment (the main thread, or a worker). Only its thread comes here.
///
/// No JavaScript runs while a part of it is borrowed, so borrows never overlap.
pub struct Environment {
    pub arena: Arena,
    hmac_keys: RefCell<KeyTable>,
    public_keys: RefCell<KeyCache>,
    input: RefCell<Vec<u8>>,
    output: RefCell<Vec<u8>>,
}

impl Environment {
    pub fn new() -> Self {
        Self {
            arena: Arena::new(),
            hmac_keys: RefCell::default(),
            public_keys: RefCell::default(),
            input: RefCell::default(),
            output: RefCell::default(),
        }
    }

    /// Makes this the state that [`run`] uses, until `env` ends.
    pub fn attach(self: Rc<Self>, env: &Env) -> napi::Result<()> {
        env.set_instance_data(self, (), |_| ())
    }

    pub fn add_hmac_key(&self, key: HmacKey) -> Result<u32, Thrown> {
        Ok(self.hmac_keys.borrow_mut().add(key)?)
    }

    pub fn remove_hmac_key(&self, id: u32) -> bool {
        self.hmac_keys.borrow_mut().remove(id)
    }

    pub fn with_hmac_key<T>(
        &self,
        id: u32,
        work: impl FnOnce(&HmacKey) -> Result<T, Thrown>,
    ) -> Result<T, Thrown> {
        let keys = self.hmac_keys.borrow();
        let key = keys.get(id).ok_or_else(|| {
            Thrown::Range(format!("no HMAC key has the id {id}: it was released, or is another thread's"))
        })?;
        work(key)
    }

    pub fn with_public_keys<T>(&self, work: impl FnOnce(&mut KeyCache) -> T) -> T {
        work(&mut self.public_keys.borrow_mut())
    }

    /// Lends `work` an empty buffer for copies of arguments.
    pub fn with_input<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        with_buffer(&self.input, work)
    }

    /// Overwrites the secrets in that buffer.
    pub fn wipe_input(&self) {
        self.input.borrow_mut().zeroize();
    }

    /// Lends `work` a buffer for a result, which it finds empty.
    pub fn with_output<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        with_buffer(&self.output, work)
    }
}

fn with_buffer<T>(buffer: &RefCell<Vec<u8>>, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = buffer.borrow_mut();
    buffer.clear();
    let result = work(&mut buffer);
    if buffer.capacity() > KEPT_BYTES {
        *buffer = Vec::new();
    }
    result
}

/// Runs a function of the module with the state of `env`.
pub fn run<T>(env: &Env, work: impl FnOnce(&Environment) -> Result<T, Thrown>) -> napi::Result<T> {
    let attached = env.get_instance_data::<Rc<Environment>>()?.map(|environment| Rc::clone(environment));
    guard(env, || {
        let environment = attached.ok_or_else(|| Thrown::Fault("a call without environment".into()))?;
        work(&environment)
    })
}

/// Runs `work` and makes its error the exception of `env`.
pub fn guard<T>(env: &Env, work: impl FnOnce() -> Result<T, Thrown>) -> napi::Result<T> {
    catch(work).map_err(|thrown| thrown.throw(env))
}

/// Runs `work` and releases the handles that it created, which must not be used afterwards.
pub fn scoped<T>(env: &Env, work: impl FnOnce() -> Result<T, Thrown>) -> Result<T, Thrown> {
    // Node ends the process for a scope that a panic left open, so a panic is stopped here, too.
    env.run_in_scope(|| Ok(catch(work)))?
}

/// Runs `work`; a panic in it is a fault like another.
fn catch<T>(work: impl FnOnce() -> Result<T, Thrown>) -> Result<T, Thrown> {
    // The state after a panic: keys and caches, which are consistent between any two steps.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Thrown::Fault("the engine panicked".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_does_not_leave_the_engine() {
        let caught = catch::<()>(|| panic!("on purpose"));
        assert_eq!(caught, Err(Thrown::Fault("the engine panicked".into())));
    }

    #[test]
    fn what_is_not_a_panic_passes() {
        assert_eq!(catch(|| Ok(7)), Ok(7));
        assert_eq!(catch::<()>(|| Err(Thrown::Pending)), Err(Thrown::Pending));
    }

    #[test]
    fn a_buffer_is_found_empty_and_kept_unless_it_grew_big() {
        let environment = Environment::new();
        environment.with_input(|input| input.extend(b"input"));
        environment.with_input(|input| assert!(input.is_empty() && input.capacity() >= 5));
        environment.with_input(|input| input.reserve(KEPT_BYTES + 1));
        environment.with_input(|input| assert_eq!(input.capacity(), 0));
    }

    #[test]
    fn a_secret_is_wiped_from_the_input() {
        let environment = Environment::new();
        environment.with_input(|input| input.extend(b"secret"));
        environment.wipe_input();
        assert!(environment.input.borrow().is_empty());
    }
}
