// Answers the lines of benches/measure.py for a Go program with x/oauth2; benches/rust/protocol says what each asks
// for.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var config = clientcredentials.Config{
	ClientID:     os.Getenv("CLAZAR_CLIENT_ID"),
	ClientSecret: os.Getenv("CLAZAR_CLIENT_SECRET"),
	TokenURL:     os.Getenv("CLAZAR_AUTH_URL"),
	AuthStyle:    oauth2.AuthStyleInParams,
}
var source = config.TokenSource(context.Background())

func authorization() (string, error) {
	token, err := source.Token()
	if err != nil {
		return "", err
	}
	return token.Type() + " " + token.AccessToken, nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func soFar() [3]int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	processor := usage.Utime.Nano() + usage.Stime.Nano()
	return [3]int64{processor, usage.Minflt, time.Now().UnixNano()}
}

func request(requests int) string {
	before := soFar()
	for i := 0; i < requests; i++ {
		_, err := config.Token(context.Background())
		must(err)
	}
	after := soFar()
	return fmt.Sprint(after[0]-before[0], after[1]-before[1], after[2]-before[2])
}

// Runs work on so many threads, which begin together, and returns how long all of them take.
func sideBySide(threads int, work func(thread int)) time.Duration {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(threads)
	done.Add(threads)
	for i := 0; i < threads; i++ {
		go func(thread int) {
			runtime.LockOSThread()
			ready.Done()
			<-start
			work(thread)
			done.Done()
		}(i)
	}
	ready.Wait()
	from := time.Now()
	close(start)
	done.Wait()
	return time.Since(from)
}

func cached(calls, threads int) string {
	_, err := authorization()
	must(err)
	took := sideBySide(threads, func(int) {
		for i := 0; i < calls; i++ {
			_, err := authorization()
			must(err)
		}
	})
	return fmt.Sprint(took.Nanoseconds())
}

func stampede(threads int) string {
	took := sideBySide(threads, func(int) {
		_, err := authorization()
		must(err)
	})
	return fmt.Sprint(took.Nanoseconds())
}

func isDead(header string) bool {
	moment, err := strconv.ParseInt(header[len(header)-13:], 10, 64)
	must(err)
	return time.Now().UnixMilli() > moment
}

type seen struct {
	longest            time.Duration
	slow, failed, dead int
}

func call(seen *seen) {
	start := time.Now()
	header, err := authorization()
	wait := time.Since(start)
	if wait > seen.longest {
		seen.longest = wait
	}
	if wait > time.Millisecond {
		seen.slow++
	}
	if err != nil {
		seen.failed++
	} else if isDead(header) {
		seen.dead++
	}
}

func callers(threads int, length time.Duration) string {
	_, err := authorization()
	must(err)
	end := time.Now().Add(length)
	each := make([]seen, threads)
	sideBySide(threads, func(thread int) {
		for time.Now().Before(end) {
			call(&each[thread])
			time.Sleep(5 * time.Millisecond)
		}
	})
	var all seen
	for _, one := range each {
		if one.longest > all.longest {
			all.longest = one.longest
		}
		all.slow += one.slow
		all.failed += one.failed
		all.dead += one.dead
	}
	return fmt.Sprint(all.longest.Nanoseconds(), all.slow, all.failed, all.dead)
}

func answer(words []string) string {
	number := func(at int) int {
		number, err := strconv.Atoi(words[at])
		must(err)
		return number
	}
	switch words[0] {
	case "request":
		return request(number(1))
	case "cached":
		return cached(number(2), number(3))
	case "stampede":
		return stampede(number(1))
	case "callers":
		return callers(number(1), time.Duration(number(2))*time.Millisecond)
	}
	panic(words[0] + " is no command")
}

func main() {
	if len(os.Args) > 1 {
		_, err := authorization()
		must(err)
		fmt.Println("ready")
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(answer(strings.Split(lines.Text(), " ")))
	}
}
