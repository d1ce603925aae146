// Gets URLs of the Clazar API from Go, all at once: the token comes through the C interface, with cgo.
//
//	go build . && ./clazar-get https://api.clazar.io/listings/
//
// The build needs a C compiler, and pkg-config must find clazar_auth.
package main

/*
#cgo pkg-config: clazar_auth
#include <clazar_auth.h>
#include <stdint.h>
#include <stdlib.h>

extern void tellToken(uintptr_t handle, clazar_token *token, clazar_error *error);

// A cgo.Handle is a number, not a pointer that Go may see.
static inline void tell(void *context, clazar_token *token, clazar_error *error) {
    tellToken((uintptr_t)context, token, error);
}

static inline clazar_status ask(const clazar_provider *provider, uintptr_t handle,
                                clazar_token **token, clazar_error **error) {
    return clazar_provider_token_async(provider, tell, (void *)handle, token, error);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// outcome is a token, or why there is none.
type outcome struct {
	token   *C.clazar_token
	failure *C.clazar_error
}

//export tellToken
func tellToken(handle C.uintptr_t, token *C.clazar_token, failure *C.clazar_error) {
	cgo.Handle(handle).Value().(chan outcome) <- outcome{token, failure}
}

// failed makes a Go error of one of the library's, which it frees.
func failed(failure *C.clazar_error) error {
	defer C.clazar_error_free(failure)
	return errors.New(C.GoString(C.clazar_error_message(failure)))
}

// newProvider makes a provider with the options that the environment holds.
func newProvider() (*C.clazar_provider, error) {
	var config *C.clazar_config
	var provider *C.clazar_provider
	var failure *C.clazar_error
	if C.clazar_config_new_from_env(&config, &failure) != C.CLAZAR_OK {
		return nil, failed(failure)
	}
	defer C.clazar_config_free(config)
	if C.clazar_provider_new(config, &provider, &failure) != C.CLAZAR_OK {
		return nil, failed(failure)
	}
	return provider, nil
}

// getToken waits for a token as goroutines do, without a thread.
func getToken(provider *C.clazar_provider) (*C.clazar_token, error) {
	told := make(chan outcome, 1)
	handle := cgo.NewHandle(told)
	defer handle.Delete()
	var now outcome
	status := C.ask(provider, C.uintptr_t(handle), &now.token, &now.failure)
	if status == C.CLAZAR_OK && now.token == nil {
		now = <-told
	}
	if now.failure != nil {
		return nil, failed(now.failure)
	}
	return now.token, nil
}

// checkURL says why the token must not go there.
func checkURL(provider *C.clazar_provider, url string) error {
	text := C.CString(url)
	defer C.free(unsafe.Pointer(text))
	var failure *C.clazar_error
	if C.clazar_provider_check_url(provider, text, &failure) != C.CLAZAR_OK {
		return failed(failure)
	}
	return nil
}

// client follows no redirect, which would take the token along.
var client = http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// request makes one request with one token, which it takes out of use if the API answers 401.
func request(provider *C.clazar_provider, url string) (*http.Response, error) {
	token, err := getToken(provider)
	if err != nil {
		return nil, err
	}
	defer C.clazar_token_free(token)
	get, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	get.Header.Set("Authorization", C.GoString(C.clazar_token_authorization(token, nil)))
	response, err := client.Do(get)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		C.clazar_provider_invalidate(provider, token, nil)
	}
	return response, err
}

// get makes the request once more with another token after a 401.
func get(provider *C.clazar_provider, url string) (string, error) {
	if err := checkURL(provider, url); err != nil {
		return "", err
	}
	response, err := request(provider, url)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		response.Body.Close()
		response, err = request(provider, url)
	}
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", url, response.Status)
	}
	return string(body), err
}

// getAll prints what the URLs answer, and tells whether all of them did.
func getAll(provider *C.clazar_provider, urls []string) bool {
	var all sync.WaitGroup
	bodies := make([]string, len(urls))
	errs := make([]error, len(urls))
	for i, url := range urls {
		all.Add(1)
		go func(i int, url string) {
			defer all.Done()
			bodies[i], errs[i] = get(provider, url)
		}(i, url)
	}
	all.Wait()
	succeeded := true
	for i := range urls {
		if errs[i] != nil {
			succeeded = false
			fmt.Fprintln(os.Stderr, errs[i])
		} else {
			fmt.Println(bodies[i])
		}
	}
	return succeeded
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: clazar-get URL...")
		os.Exit(2)
	}
	provider, err := newProvider()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	succeeded := getAll(provider, os.Args[1:])
	C.clazar_provider_free(provider)
	if !succeeded {
		os.Exit(1)
	}
}
