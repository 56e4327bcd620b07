//! The completion scripts, sourced by the shells that they are for.

use crate::shooter;

/// Runs a program that the tests need with a script for it, and returns what it prints.
fn printed_by(program: &str, arguments: &[&str], script: &str) -> String {
    let output = std::process::Command::new(program).args(arguments).arg(script).output();
    let output = output.unwrap_or_else(|_| panic!("{program} is missing: install it (`apt-get install {program}`)"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Flags of the program, of a sub-command, of a sub-command of that, and the names of sub-commands.
const COMPLETED: [(&str, &str); 4] = [
    ("--graceful-s", "--graceful-stop"),
    ("check --graceful-s", "--graceful-stop"),
    ("plugin test --conf", "--conformance"),
    ("plugin inspe", "inspect"),
];

#[test]
fn completions_work_in_bash() {
    let run = shooter().args("completions bash").finish().exits(0);
    std::fs::write(run.path("completions"), &run.stdout).expect("a file");
    for (typed, completed) in COMPLETED {
        let script = format!(
            "source {}; complete -p stampede-shooter | grep -q _stampede__shooter || exit 1; \
             COMP_WORDS=(stampede-shooter {typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _stampede__shooter stampede-shooter \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             echo \"${{COMPREPLY[@]}}\"",
            run.path("completions").display()
        );
        assert_eq!(printed_by("bash", &["-c"], &script).trim(), completed, "{typed}");
    }
}

#[test]
fn completions_work_in_fish() {
    let run = shooter().args("completions fish").finish().exits(0);
    std::fs::write(run.path("completions"), &run.stdout).expect("a file");
    for (typed, completed) in COMPLETED {
        let script = format!("source {}; complete -C 'stampede-shooter {typed}'", run.path("completions").display());
        let printed = printed_by("fish", &["--no-config", "-c"], &script);
        assert_eq!(printed.split('\t').next(), Some(completed), "{typed}: {printed}");
    }
}

/// In a terminal of its own, since zsh completes only what is typed there. A function shows the line that came out.
#[test]
fn completions_work_in_zsh() {
    let run = shooter().file("load.yml", "").args("completions zsh").finish().exits(0);
    std::fs::write(run.path("completions"), &run.stdout).expect("a file");
    for (typed, completed) in [("load.y", "load.yml")].into_iter().chain(COMPLETED) {
        let script = format!(
            "cd {}; zmodload zsh/zpty; zpty shell zsh -f -i; \
             zpty -w shell \"PS1=; autoload -Uz compinit; compinit -u -D; source {}; \
             compdef _stampede-shooter stampede-shooter; stampede-shooter() {{ print -r -- GOT-\\$*-END }}\"; \
             zpty -w -n shell $'stampede-shooter {typed}\\t\\n'; \
             zpty -r shell seen '*GOT-[a-z.-]*-END*'; print -r -- $seen",
            run.path("").display(),
            run.path("completions").display()
        );
        let printed = printed_by("zsh", &["-f", "-c"], &script);
        let got = printed.rsplit("GOT-").find_map(|rest| rest.split_once("-END")).map(|(line, _)| line.trim());
        let expected = format!("{}{completed}", &typed[..typed.rfind(' ').map_or(0, |space| space + 1)]);
        assert_eq!(got, Some(&*expected), "{typed}: {printed}");
    }
}
