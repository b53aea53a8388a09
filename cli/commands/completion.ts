import { Argument, Command } from "commander";
import { print } from "../output.ts";

/** Each asks the command itself what may stand at the cursor, so that it never knows less than the command. */
const SCRIPTS = {
  // Bash breaks words at colons, and replaces what stands behind the last of them.
  bash: `_ganglion() {
  local line=\${COMP_LINE:0:COMP_POINT} words cur word
  read -ra words <<< "$line"
  [[ $line == *" " ]] && words+=("")
  cur=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("\${word#"\${cur%"\${cur##*[:=]}"}"}")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _ganglion ganglion`,
  zsh: `#compdef ganglion
_ganglion() {
  local -a found
  local line
  for line in "\${(@f)$(ganglion __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe ganglion found; else _files; fi
}
compdef _ganglion ganglion`,
  fish: "complete -c ganglion -a '(ganglion __complete (commandline -opc | tail -n +2) (commandline -ct | string collect --allow-empty) 2>/dev/null)'",
} as const;

const shells = Object.keys(SCRIPTS);

export const completionCommand = () =>
  new Command("completion")
    .summary("a script by which your shell completes commands and options")
    .addArgument(new Argument("<shell>", "whose script").choices(shells))
    .addHelpText(
      "after",
      `
bash: echo 'source <(ganglion completion bash)' >> ~/.bashrc
zsh:  echo 'source <(ganglion completion zsh)' >> ~/.zshrc    (below compinit)
fish: ganglion completion fish > ~/.config/fish/completions/ganglion.fish`,
    )
    .action((shell: keyof typeof SCRIPTS) => print(SCRIPTS[shell]));
