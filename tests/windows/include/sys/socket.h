// clang-format Language: C
/* Sockets of Windows, as POSIX would have them: their numbers are small. */
#pragma once
#include <winsock2.h>
#include <ws2tcpip.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

__attribute__((constructor)) static void start_sockets(void) {
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
}
