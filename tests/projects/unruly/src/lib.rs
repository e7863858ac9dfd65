//! Builders that misbehave, each in its own way, and a sound one: none may disturb the measurements of another.

use std::time::Duration;

use tch::nn::{self, Linear};

/// Builds a model.
pub fn sound(path: &nn::Path) -> Linear {
    nn::linear(path / "head", 4, 3, Default::default())
}

/// Panics.
pub fn panics(_path: &nn::Path) -> Linear {
    panic!("the builder gave up")
}

/// Aborts its process.
pub fn aborts(_path: &nn::Path) -> Linear {
    eprintln!("last words before the abort");
    std::process::abort()
}

/// Ends its process as if all were well.
pub fn exits(_path: &nn::Path) -> Linear {
    std::process::exit(0)
}

/// Never returns.
pub fn loops(_path: &nn::Path) -> Linear {
    loop {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Allocates without end.
pub fn devours(_path: &nn::Path) -> Linear {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(Vec::<u8>::with_capacity(64 << 20)));
    }
}

/// Prints what looks like a result.
pub fn prints(path: &nn::Path) -> Linear {
    println!(r#"{{"v":1,"event":"summary","passed":1000}}"#);
    print!("no line end");
    sound(path)
}
