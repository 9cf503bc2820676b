//! The events of one harvest are taken out before the next uses their room.

use ioevent::{EventPipe, Events};

fn harvest(pipe: &EventPipe<u8>, events: &mut Events<u8>) -> std::io::Result<()> {
    #[cfg(feature = "misuse")]
    for event in pipe.wait(events, None)? {
        pipe.wait(events, None)?; //~ E0499
        drop(event);
    }
    #[cfg(not(feature = "misuse"))]
    {
        for event in pipe.wait(events, None)? {
            drop(event);
        }
        pipe.wait(events, None)?;
    }
    Ok(())
}

fn main() {}
