//! The place that an error came from: the top frame of its stack trace, without what the next release or the next call
//! changes: directories, line numbers, arguments.

use super::error_text;

/// A stack may be as long as a message: the top frame is near one of its ends, or is not looked for.
const MAX_READ: usize = 16 * 1024;

/// The top frame of a stack trace as Java, .NET, Node.js, Rust, PHP, Ruby, Go and Python print them; empty if there is none.
pub fn of(stack: &str) -> String {
    let head = head(stack);
    let frame = if head.contains("Traceback (most recent call last)") {
        python(tail(stack))
    } else {
        top(head).or_else(|| go(head))
    };
    // In a frame what is quoted is a name, not a value.
    let frame = frame.unwrap_or_default().replace(['\'', '"', '`'], " ");
    error_text::of(frame.trim()).template
}

/// The whole lines of the beginning.
fn head(stack: &str) -> &str {
    if stack.len() <= MAX_READ {
        return stack;
    }
    let head = &stack[..stack.floor_char_boundary(MAX_READ)];
    head.rfind('\n').map_or("", |end| &head[..end])
}

/// The whole lines of the end.
fn tail(stack: &str) -> &str {
    if stack.len() <= MAX_READ {
        return stack;
    }
    let tail = &stack[stack.ceil_char_boundary(stack.len() - MAX_READ)..];
    tail.find('\n').map_or("", |begin| &tail[begin..])
}

/// The first line that is a frame.
fn top(head: &str) -> Option<String> {
    let mut before = "";
    head.lines().map(str::trim).find_map(|line| {
        let frame = at(line, before).or_else(|| php(line)).or_else(|| ruby(line));
        before = line;
        frame
    })
}

/// `at Class.method(File.java:7)`, `at Method() in C:\File.cs:line 7`, `at name (/file.js:7:13)`; and Rust's
/// `7: crate::name` with `at /file.rs:7:13` below.
fn at(line: &str, before: &str) -> Option<String> {
    let place = line.strip_prefix("at ").filter(|place| place.contains(['(', ':']))?;
    match before.split_once(": ") {
        Some((number, name)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Every panic has passed through the standard library, and many errors through the same crates.
            let is_own = !place.contains("/rustc/") && !place.contains(".cargo");
            is_own.then(|| format!("{name} {}", file_name(place)))
        }
        _ => Some(without_directories(place)),
    }
}

/// `#0 /file.php(7): Class->method('argument')`.
fn php(line: &str) -> Option<String> {
    let frame = line.strip_prefix("#0 ")?;
    Some(match frame.split_once(": ") {
        Some((place, call)) => format!("{} {}", file_name(place), call.split('(').next()?),
        None => without_directories(frame),
    })
}

/// `/file.rb:7:in 'method'`, with a backtick before Ruby 3.4, and a message behind it in the first line.
fn ruby(line: &str) -> Option<String> {
    let (path, rest) = line.split_once(".rb:")?;
    if !rest.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    let method = rest.split_once(":in ").and_then(|(_, method)| method.split(['\'', '`']).nth(1));
    Some(format!("{}.rb {}", file_name(path), method.unwrap_or_default()))
}

/// `package.name(0xc000012345)` with a tab and `/file.go:7 +0x1d` below.
fn go(head: &str) -> Option<String> {
    let trace = head.split_once("goroutine ").map_or(head, |(_, trace)| trace);
    let lines = || trace.lines().take_while(|line| !line.is_empty());
    let mut top = None;
    for (call, place) in lines().zip(lines().skip(1)) {
        if call.starts_with("panic(") {
            // Above it is what recovered and printed the stack.
            top = None;
            continue;
        }
        let is_runtime = call.strip_prefix("runtime").is_some_and(|rest| rest.starts_with(['.', '/']));
        if let Some((path, _)) = place.strip_prefix('\t').and_then(|place| place.split_once(".go:"))
            && top.is_none()
            && !is_runtime
        {
            let arguments = if call.ends_with(')') { call.rfind('(') } else { None };
            top = Some(format!("{} {}.go", &call[..arguments.unwrap_or(call.len())], file_name(path)));
        }
    }
    top
}

/// The last `File "/file.py", line 7, in function`.
fn python(tail: &str) -> Option<String> {
    tail.lines().rev().find_map(|line| {
        // Groups of exceptions are drawn as a tree.
        let line = line.trim_start_matches([' ', '|']).strip_prefix("File \"")?;
        let (path, rest) = line.split_once("\", line ")?;
        let function = rest.split_once(", in ").map_or("", |(_, function)| function);
        Some(format!("{} {function}", file_name(path)))
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The frame with the last part of each path in it.
fn without_directories(frame: &str) -> String {
    let mut kept = String::with_capacity(frame.len());
    let mut path = 0;
    for character in frame.chars() {
        if matches!(character, '/' | '\\') {
            kept.truncate(path);
        } else {
            kept.push(character);
            if character.is_whitespace() || character == '(' {
                path = kept.len();
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests;
