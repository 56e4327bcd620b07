//! `plugin test`: tests a component with its cases, a line for each.

use crate::cli::TestArgs;
use crate::command::output::{print, warn_about_native};
use crate::command::source;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plugin::load::identify;
use crate::plugin::native::is_native;
use crate::rehearsal::cases::{Case, parse_cases};
use crate::rehearsal::{CaseResult, RuleResult, check_conformance, format_millis, rehearse};

/// Rehearses every case of a file with the component in another, and prints the differences from the expected results.
///
/// # Errors
/// The cases are wrong, or the component does not load.
pub(super) fn test(args: &TestArgs) -> Result<Exit, Diagnostics> {
    let cases = args.cases.display();
    let source = source::of_file(Some(&args.cases)).map_err(|unread| Diagnostic {
        help: Some(format!("`--cases FILE` names another file than `{cases}`")),
        ..unread
    })?;
    let cases = parse_cases(&source)?;
    if args.native.allow_native && identify::read(&args.file).is_ok_and(|bytes| is_native(&bytes)) {
        warn_about_native([args.file.display().to_string().as_str()]);
    }
    if args.conformance {
        return conformance(&cases, args);
    }
    let mut failed = 0;
    for case in &cases {
        let result = rehearse(case, &args.file, args.native)?;
        failed += u64::from(!result.faults.is_empty());
        print(case_line(case, &result).as_bytes())?;
    }
    print_summary(cases.len() as u64 - failed, failed)
}

/// Tests the component against the contract, a line for each rule.
fn conformance(cases: &[Case], args: &TestArgs) -> Result<Exit, Diagnostics> {
    let results = check_conformance(cases, &args.file, args.native)?;
    let (mut passed, mut failed, mut untried) = (0, 0, 0);
    for RuleResult { rule, faults } in &results {
        let (outcome, count) = match faults {
            None => ("not tried", &mut untried),
            Some(faults) if faults.is_empty() => ("ok    ", &mut passed),
            Some(_) => ("FAILED", &mut failed),
        };
        *count += 1;
        print(format!("{outcome}  {rule}\n").as_bytes())?;
        let faults = faults.iter().flatten();
        faults.into_iter().try_for_each(|fault| print(format!("        {fault}\n").as_bytes()).map(drop))?;
    }
    if untried > 0 {
        print(
            format!("\n{passed} passed, {failed} failed, {untried} not tried: the cases have no part for them\n")
                .as_bytes(),
        )?;
        return Ok(if failed == 0 { Exit::Success } else { Exit::CasesFailed });
    }
    print_summary(passed, failed)
}

fn print_summary(passed: u64, failed: u64) -> Result<Exit, Diagnostics> {
    print(format!("\n{passed} passed, {failed} failed\n").as_bytes())?;
    Ok(if failed == 0 { Exit::Success } else { Exit::CasesFailed })
}

fn case_line(case: &Case, result: &CaseResult) -> String {
    let (name, took) = (&case.name.value, format_millis(result.duration));
    if result.faults.is_empty() {
        return format!("ok      {name} ({took})\n");
    }
    let mut text = format!("FAILED  {name} ({took})\n");
    result.faults.iter().for_each(|fault| text.push_str(&format!("        {fault}\n")));
    result.examples.iter().for_each(|example| text.push_str(&format!("        failure of category {example}\n")));
    text
}
