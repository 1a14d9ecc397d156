package main

import (
	"strings"
	"testing"
)

// Version 2 is fenced at 200. Until then, readers return either version, in any order.
const kept = `{"client":"rotation","kind":"write","key":"a","call":"100","return":"200","version":2,"fenced":true}
{"client":"update","kind":"write","key":"a","call":"210","return":"220","fenced":false}
{"client":"reader-0","kind":"read","key":"a","call":"110","return":"111","version":2}
{"client":"reader-1","kind":"read","key":"a","call":"120","return":"121","version":1}
{"client":"reader-1","kind":"read","key":"a","call":"199","return":"900","version":1}
{"client":"reader-0","kind":"read","key":"a","call":"201","return":"202","version":2}
{"client":"reader-0","kind":"read","key":"b","call":"300","return":"301","version":1}
`

const stale = `{"client":"reader-1","kind":"read","key":"a","call":"201","return":"202","version":1}
`

func verdict(t *testing.T, text string) bool {
	found, err := read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, _, kept := check(found, func(text string) { t.Log(text) })
	return kept
}

func TestReadsDuringAChangeMayReturnEitherVersion(t *testing.T) {
	if !verdict(t, kept) {
		t.Error("a history that keeps the promise was refused")
	}
}

func TestAReadAfterAReportedFenceMustNotReturnAnOlderVersion(t *testing.T) {
	if verdict(t, kept+stale) {
		t.Error("a stale read was not noticed")
	}
}

func TestAHistoryWithoutAFenceProvesNothing(t *testing.T) {
	if verdict(t, stale) {
		t.Error("a history without a control was accepted")
	}
}
