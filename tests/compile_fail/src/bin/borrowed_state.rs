//! A state borrows from nothing that may end before the pipe.

use ioevent::{EventPipe, Op};

fn post() -> std::io::Result<()> {
    let text = String::from("x");
    #[cfg(feature = "misuse")]
    {
        let pipe = EventPipe::<&str>::new(1)?;
        pipe.post(Op::new(&text[..]), 0)?; //~ E0597
    }
    #[cfg(not(feature = "misuse"))]
    {
        let pipe = EventPipe::<String>::new(1)?;
        pipe.post(Op::new(text.clone()), 0)?;
    }
    drop(text); //~ E0505
    Ok(())
}

fn main() {}
