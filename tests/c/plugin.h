// clang-format Language: C
/* What the plugin of plugin.c offers. */
#ifndef PLUGIN_H
#define PLUGIN_H

/* The function of the library that it calls. */
const void *plugins_function(void);

void plugin_gets_a_token(void);

#endif
