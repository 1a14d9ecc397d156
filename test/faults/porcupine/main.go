// Checks the history of a fault run with Porcupine, a checker of linearizability, against the promise of docs/fence.md:
//
//	FAULT_HISTORY=/tmp/history.jsonl npm run test:faults
//	cd test/faults/porcupine && go run . /tmp/history.jsonl
//
// It exits with 0 if the history keeps the promise and the control is refused: the same history with one stale read.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/anishathalye/porcupine"
)

// A line of the history, as test/faults/history.ts writes it. Times are of one monotonic clock, in nanoseconds.
type line struct {
	Client  string `json:"client"`
	Kind    string `json:"kind"`
	Key     string `json:"key"`
	Call    int64  `json:"call,string"`
	Return  int64  `json:"return,string"`
	Version int64  `json:"version"`
	// Whether a fence of the change was reported. Without that, the promise says nothing about the change.
	Fenced bool `json:"fenced"`
}

// An operation on one provider: a change that was reported as fenced, or a read.
type operation struct {
	isRead  bool
	version int64
}

// The promise, per provider. The state is the newest version that a reported fence vouches for. A fence takes effect at
// some moment between the start of its change and its report, and only raises the state: it is monotone. A read takes
// effect at some moment between its call and its return, and returns that version or a newer one. So a read that starts
// after a fence was reported never returns an older version, and a read that overlaps a change may return either one,
// on any worker and in any order: the register is regular, not atomic.
var promise = porcupine.Model{
	Init: func() interface{} { return int64(0) },
	Step: func(state, input, _ interface{}) (bool, interface{}) {
		fenced, op := state.(int64), input.(operation)
		if op.isRead {
			return op.version >= fenced, fenced
		}
		return true, max(fenced, op.version)
	},
}

type history map[string][]line

func read(from io.Reader) (history, error) {
	found := history{}
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		var each line
		if err := json.Unmarshal(scanner.Bytes(), &each); err != nil {
			return nil, fmt.Errorf("not a line of a history: %w", err)
		}
		if each.Kind == "read" || each.Fenced {
			found[each.Key] = append(found[each.Key], each)
		}
	}
	return found, scanner.Err()
}

func fits(lines []line) bool {
	clients := map[string]int{}
	operations := make([]porcupine.Operation, 0, len(lines))
	for _, each := range lines {
		if _, known := clients[each.Client]; !known {
			clients[each.Client] = len(clients)
		}
		operations = append(operations, porcupine.Operation{
			ClientId: clients[each.Client],
			Input:    operation{isRead: each.Kind == "read", version: each.Version},
			Call:     each.Call,
			Return:   each.Return,
		})
	}
	return porcupine.CheckOperations(promise, operations)
}

// withStaleRead adds a read that starts after the last fence was reported, and returns the version before it.
func withStaleRead(lines []line) ([]line, bool) {
	newest := line{}
	for _, each := range lines {
		if each.Kind == "write" && each.Version > newest.Version {
			newest = each
		}
	}
	stale := newest
	stale.Client, stale.Kind, stale.Version = "planted", "read", newest.Version-1
	stale.Call, stale.Return = newest.Return+1, newest.Return+2
	return append(append([]line{}, lines...), stale), newest.Version > 0
}

func check(found history, report func(string)) (operations int, controls int, kept bool) {
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	kept = true
	for _, key := range keys {
		lines := found[key]
		operations += len(lines)
		if !fits(lines) {
			kept = false
			report(fmt.Sprintf("stale: a read of %s returned a version older than one whose fence was reported", key))
		}
		planted, possible := withStaleRead(lines)
		if !possible {
			continue
		}
		controls++
		if fits(planted) {
			kept = false
			report(fmt.Sprintf("control: a stale read that was planted in the history of %s was not noticed", key))
		}
	}
	if controls == 0 {
		kept = false
		report("control: the history has no change that was fenced")
	}
	return operations, controls, kept
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . <history.jsonl>")
		os.Exit(2)
	}
	file, err := os.Open(os.Args[1])
	if err == nil {
		var found history
		if found, err = read(file); err == nil {
			operations, controls, kept := check(found, func(text string) { fmt.Println(text) })
			fmt.Printf("%d operations on %d providers; %d planted stale reads; ", operations, len(found), controls)
			if kept {
				fmt.Println("the history keeps the promise, and each planted read is refused")
				return
			}
			fmt.Println("FAILED")
			os.Exit(1)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
