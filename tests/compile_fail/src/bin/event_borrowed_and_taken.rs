//! A state that is looked at in its event stays there.

use ioevent::Event;

fn take(event: Event<String>) {
    let text: &str = event.op();
    #[cfg(not(feature = "misuse"))]
    println!("{text}");
    #[cfg(feature = "misuse")]
    let parts = event.into_parts(); //~ E0505
    #[cfg(not(feature = "misuse"))]
    let parts = event.into_parts();
    #[cfg(feature = "misuse")]
    println!("{text}");
    drop(parts);
}

fn main() {}
