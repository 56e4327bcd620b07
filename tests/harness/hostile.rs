//! Components that exhaust a compiler: valid, small, and far too much work. And one that is large.

use wasm_encoder::{
    CodeSection, Component, CustomSection, Function, FunctionSection, Module, ModuleSection, TypeSection, ValType,
};

/// Returns a component of one core module whose functions are all alike: each has `blocks` blocks, of which every one
/// may change one of `locals` locals, and all locals are alive until the end. The compiler's work is near the product
/// of the three.
pub fn heavy_component(functions: u32, blocks: u32, locals: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut declared = FunctionSection::new();
    let mut code = CodeSection::new();
    for _ in 0..functions {
        declared.function(0);
        code.function(&heavy_function(blocks, locals));
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}

/// Returns a component of 5 MiB with a function for each number, which returns it.
pub fn large_component(numbers: &[i32]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for number in numbers {
        declared.function(0);
        let mut function = Function::new([]);
        function.instructions().i32_const(*number).end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.section(&CustomSection { name: "padding".into(), data: vec![0; 5 << 20].into() });
    component.finish()
}

fn heavy_function(blocks: u32, locals: u32) -> Function {
    let mut function = Function::new([(locals, ValType::I32)]);
    let mut body = function.instructions();
    for block in 0..blocks {
        let (local, other) = (1 + block % locals, 1 + block * 7 % locals);
        body.block(wasm_encoder::BlockType::Empty);
        body.local_get(other).local_get(0).i32_xor().br_if(0);
        body.local_get(other).i32_const(block as i32).i32_add().local_set(local);
        body.end();
    }
    body.i32_const(0);
    for local in 1..=locals {
        body.local_get(local).i32_add();
    }
    body.end();
    function
}
