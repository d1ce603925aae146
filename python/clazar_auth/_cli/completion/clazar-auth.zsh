#compdef clazar-auth
_shtab_clazar_auth_commands() {
  local _commands=(
    completion:'Print a script that completes commands and options.'
    demo:'Get a token from a sandbox, and use it.'
    doctor:'Find out what stands between this machine and a token.'
    header:'Print the header that a request to the API needs.'
    help:'Print the help of a command.'
    logout:'Erase the token from the store.'
    sandbox:'Run a stand-in for the API on this machine.'
    status:'Tell where the token is kept and how long it is valid.'
    token:'Print the access token.'
  )
  _describe 'clazar-auth commands' _commands
}
_shtab_clazar_auth_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "(- : *)--version[show program\'s version number and exit]"
)
_shtab_clazar_auth_defaults_added=0
_shtab_clazar_auth_completion_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":for which shell:(bash zsh fish)"
)
_shtab_clazar_auth_completion_defaults_added=0
_shtab_clazar_auth_demo_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)
_shtab_clazar_auth_demo_defaults_added=0
_shtab_clazar_auth_doctor_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--client-secret-file[read the secret here]:FILE:_files"
  "--auth-url[authenticate at this URL]:URL:"
  "--store[keep the token there, as CLAZAR_STORE says]:store:"
  "--no-store[keep the token only in memory]"
  "--json[print JSON]"
)
_shtab_clazar_auth_doctor_defaults_added=0
_shtab_clazar_auth_header_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--client-secret-file[read the secret here]:FILE:_files"
  "--auth-url[authenticate at this URL]:URL:"
  "--store[keep the token there, as CLAZAR_STORE says]:store:"
  "--no-store[keep the token only in memory]"
  "--json[print JSON]"
)
_shtab_clazar_auth_header_defaults_added=0
_shtab_clazar_auth_help_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":about this command:(token header status logout doctor sandbox demo completion help)"
)
_shtab_clazar_auth_help_defaults_added=0
_shtab_clazar_auth_logout_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--client-secret-file[read the secret here]:FILE:_files"
  "--auth-url[authenticate at this URL]:URL:"
  "--store[keep the token there, as CLAZAR_STORE says]:store:"
)
_shtab_clazar_auth_logout_defaults_added=0
_shtab_clazar_auth_sandbox_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--json[print JSON]"
  "--port[listen on this port]:PORT:"
  "--lifetime[how long tokens are valid]:SECONDS:"
  "--delay[how long a token request takes]:SECONDS:"
  "*--answer[answer a token request with this HTTP status, one after the other]:STATUS:"
  "(*)::run this with the sandbox\'s options in its environment, then end:_files"
)
_shtab_clazar_auth_sandbox_defaults_added=0
_shtab_clazar_auth_status_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--client-secret-file[read the secret here]:FILE:_files"
  "--auth-url[authenticate at this URL]:URL:"
  "--store[keep the token there, as CLAZAR_STORE says]:store:"
  "--json[print JSON]"
)
_shtab_clazar_auth_status_defaults_added=0
_shtab_clazar_auth_token_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--client-secret-file[read the secret here]:FILE:_files"
  "--auth-url[authenticate at this URL]:URL:"
  "--store[keep the token there, as CLAZAR_STORE says]:store:"
  "--no-store[keep the token only in memory]"
  "--json[print JSON]"
)
_shtab_clazar_auth_token_defaults_added=0
_shtab_clazar_auth() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->clazar-auth'
  if (( ! _shtab_clazar_auth_defaults_added )); then
    if (( ${_shtab_clazar_auth_options[(I)${(q)one_or_more}*]} +          ${_shtab_clazar_auth_options[(I)${(q)remainder}*]} +          ${_shtab_clazar_auth_options[(I)${(q)default}]} == 0 )); then
      _shtab_clazar_auth_options+=(': :_shtab_clazar_auth_commands' '*::: :->clazar-auth')
    fi
    _shtab_clazar_auth_defaults_added=1
  fi
  _arguments -C -s $_shtab_clazar_auth_options
  case $state in
    clazar-auth)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_clazar_auth-$line[1]:"
      case $line[1] in
        completion) _arguments -C -s $_shtab_clazar_auth_completion_options ;;
        demo) _arguments -C -s $_shtab_clazar_auth_demo_options ;;
        doctor) _arguments -C -s $_shtab_clazar_auth_doctor_options ;;
        header) _arguments -C -s $_shtab_clazar_auth_header_options ;;
        help) _arguments -C -s $_shtab_clazar_auth_help_options ;;
        logout) _arguments -C -s $_shtab_clazar_auth_logout_options ;;
        sandbox) _arguments -C -s $_shtab_clazar_auth_sandbox_options ;;
        status) _arguments -C -s $_shtab_clazar_auth_status_options ;;
        token) _arguments -C -s $_shtab_clazar_auth_token_options ;;
      esac
  esac
}
typeset -A opt_args
if [[ $zsh_eval_context[-1] == eval ]]; then
  compdef _shtab_clazar_auth -N clazar-auth
else
  _shtab_clazar_auth "$@"
fi
