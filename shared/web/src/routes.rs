//! The routes of an API: with what the document tells of them where the document is made, and otherwise bare. A deployed function
//! would carry all of the text and make all of the schemas at each start, for nobody: `functions/home` serves the finished document.

#[cfg(feature = "openapi")]
pub use utoipa_axum::routes;

/// As the macro of `utoipa_axum`, with paths and methods alone.
#[cfg(not(feature = "openapi"))]
#[macro_export]
macro_rules! routes {
    ($($module:ident::$handler:ident),+ $(,)?) => {{
        use utoipa_axum::PathItemExt as _;
        let mut paths = utoipa::openapi::path::Paths::new();
        let mut router = axum::routing::MethodRouter::new();
        $({
            // What the attribute of a handler makes beside it.
            utoipa_axum::paste! { use $module::[<__path_ $handler>] as Described; }
            let methods = <Described as utoipa::Path>::methods();
            for method in &methods {
                router = router.on(method.to_method_filter(), $module::$handler);
            }
            paths.add_path_operation(<Described as utoipa::Path>::path(), methods, utoipa::openapi::path::Operation::new());
        })+
        (Vec::new(), paths, router)
    }};
}
