#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (_, run) =
        hotline_fuzz::TARGETS.iter().find(|(name, _)| *name == "uss_body").expect("a target of that name");
    run(data);
});
