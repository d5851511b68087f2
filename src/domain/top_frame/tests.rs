//! Stacks as the runtimes print them.

use super::*;
use crate::domain::error_text::shown;

const JAVA: &str = "\
java.lang.IllegalStateException: order 4711 is not open, look
at the order
\tat com.shop.OrderService.lambda$place$0(OrderService.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.sql.SQLException: closed
\tat com.zaxxer.hikari.pool.ProxyConnection.close(ProxyConnection.java:12)
\t... 7 more";

const JAVA_MODULE: &str = "\
java.lang.NumberFormatException: For input string: \"x\"
\tat java.base/java.lang.Integer.parseInt(Integer.java:652)";

const DOTNET: &str = "\
System.InvalidOperationException: Sequence contains no elements
 ---> System.Exception: inner
   at Shop.Orders.OrderService.<PlaceAsync>d__5.MoveNext() in C:\\build\\17\\src\\OrderService.cs:line 42
--- End of stack trace from previous location ---
   at System.Threading.Tasks.Task.Wait()";

const NODE: &str = "\
TypeError: Cannot read properties of undefined (reading 'id')
    at OrderService.place (/srv/releases/20260131/src/order-service.js:42:13)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";

const NODE_MODULE: &str = "Error: x\n    at file:///srv/app/main.mjs:3:7\n    at new Promise (<anonymous>)";

const RUST: &str = "\
order 4711 is not open

Stack backtrace:
   0: anyhow::error::<impl anyhow::Error>::msg
             at /root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/anyhow-1.0.86/src/error.rs:83:36
   1: core::panicking::panic_fmt
             at /rustc/129f3b9964af4d4a709d1383930ade12dfe7c081/library/core/src/panicking.rs:72:14
   2: shop::order::place::{{closure}}
             at ./src/order.rs:42:9";

const PHP: &str = "\
RuntimeException: Order 4711 in /var/www/releases/17/src/OrderHandler.php:42
Stack trace:
#0 /var/www/releases/17/vendor/symfony/messenger/HandleMiddleware.php(152): App\\Handler\\OrderHandler->__invoke('4711', Object(App\\Order))
#1 {main}";

const RUBY: &str = "\
/srv/app/releases/20260131/app/models/order.rb:42:in 'Order#place': no stock for 'x' (RuntimeError)
\tfrom bin/worker:3:in '<main>'";

const RUBY_BEFORE_3_4: &str =
    "/srv/app/models/order.rb:42:in `block in place'\n/srv/app/main.rb:1:in `<main>'";

const GO: &str = "\
panic: order 4711

goroutine 18 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e
github.com/acme/shop/worker.run.func1()
\t/srv/app/worker/run.go:17 +0x2c
panic({0x4b1f20?, 0x53c8a8?})
\t/usr/local/go/src/runtime/panic.go:884 +0x212
github.com/acme/shop/order.(*Service).Place(0xc000012345, {0x53c8a8, 0x5})
\t/srv/app/order/service.go:42 +0x1d
main.main()
\t/srv/app/main.go:9 +0x20

goroutine 19 [select]:
panic(0)";

const GO_ERRORS: &str =
    "no stock\nmain.place\n\t/srv/app/order.go:42\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250";

const PYTHON: &str = "\
Traceback (most recent call last):
  File \"/usr/lib/python3.12/site-packages/celery/app/trace.py\", line 451, in trace_task
    R = retval = fun(*args, **kwargs)
  File \"/srv/my app/releases/17/orders.py\", line 42, in place
    raise ValueError(f'at {order} (it is not open)')
ValueError: at 4711 (it is not open)
";

const PYTHON_GROUP: &str = "  + Exception Group Traceback (most recent call last):\n  |   File \"/srv/a.py\", line 3, in <module>\n  | x";

#[test]
fn the_top_frame_is_found_in_every_stack() {
    for (stack, frame) in [
        (JAVA, "com.shop.OrderService.lambda$place$<number>(OrderService.java:<number>)"),
        (JAVA_MODULE, "java.lang.Integer.parseInt(Integer.java:<number>)"),
        (
            DOTNET,
            "Shop.Orders.OrderService.<PlaceAsync>d__<number>.MoveNext() in OrderService.cs:line <number>",
        ),
        (NODE, "OrderService.place (order-service.js:<number>:<number>)"),
        (NODE_MODULE, "main.mjs:<number>:<number>"),
        (RUST, "shop::order::place::{{closure}} order.rs:<number>:<number>"),
        (PHP, "HandleMiddleware.php(<number>) App\\Handler\\OrderHandler->__invoke"),
        (RUBY, "order.rb Order#place"),
        (RUBY_BEFORE_3_4, "order.rb block in place"),
        ("a.rb:1\nb.rb:2", "a.rb"),
        (GO, "github.com/acme/shop/order.(*Service).Place service.go"),
        (GO_ERRORS, "main.place order.go"),
        (PYTHON, "orders.py place"),
        (PYTHON_GROUP, "a.py <module>"),
        ("Traceback (most recent call last):\n  File \"a.py\", line 1\nSyntaxError: x", "a.py"),
        ("#0 main", "main"),
        ("#0 [internal function]: App\\{closure}(Array)", "[internal function] App\\{closure}"),
        ("Error: x\nat line 3\nand no frame", ""),
        ("", ""),
    ] {
        assert_eq!(shown(&of(stack)), frame, "{stack}");
    }
}

#[test]
fn it_is_looked_for_near_the_ends_only() {
    let frame = "\n\tat a.B.c(B.java:7)\n";
    let near = "é".repeat(MAX_READ / 2 - frame.len());
    assert_eq!(shown(&of(&format!("{near}{frame}{near}"))), "a.B.c(B.java:<number>)");
    assert_eq!(of(&format!("{near}{near}{frame}")), "");
    // A line that is cut says where it is cut, not where it failed.
    assert_eq!(of(&format!("{}\n\tat a.B.c(B.java:7)", " ".repeat(MAX_READ - 12))), "");
    let python =
        format!("Traceback (most recent call last)\n{near}{near}\nFile \"a.py\", line 1, in b\n{near}");
    assert_eq!(of(&python), "a.py b");
    assert_eq!(of(&format!("{python}{near}")), "");
}
