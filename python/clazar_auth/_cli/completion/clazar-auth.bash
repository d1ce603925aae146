_clazar_auth() {
  local i words="token header status logout doctor sandbox demo completion help" options="-h --help --version"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      token|header|doctor) words="" options="-h --help --client-secret-file --auth-url --store --no-store --json";;
      status) words="" options="-h --help --client-secret-file --auth-url --store --json";;
      logout) words="" options="-h --help --client-secret-file --auth-url --store";;
      sandbox) words="" options="-h --help --json --port --lifetime --delay --answer";;
      demo) words="" options="-h --help";;
      completion) words="bash zsh fish" options="-h --help";;
      help) words="token header status logout doctor sandbox demo completion help" options="-h --help";;
      *) continue;;
    esac
    break
  done
  case $3 in
    --client-secret-file|--auth-url|--store|--port|--lifetime|--delay|--answer) words= options=;;
  esac
  [[ $2 == -* ]] && words=$options
  COMPREPLY=($(compgen -W "$words" -- "$2"))
}
complete -o bashdefault -o default -F _clazar_auth clazar-auth
