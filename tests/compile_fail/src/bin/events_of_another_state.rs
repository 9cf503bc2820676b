//! Room for events of one kind of state takes none of another.

use ioevent::{EventPipe, Events};

fn harvest(pipe: &EventPipe<u8>, own: &mut Events<u8>, others: &mut Events<u64>) -> std::io::Result<()> {
    #[cfg(feature = "misuse")]
    pipe.wait(others, None)?; //~ E0308
    #[cfg(not(feature = "misuse"))]
    pipe.wait(own, None)?;
    Ok(())
}

fn main() {}
