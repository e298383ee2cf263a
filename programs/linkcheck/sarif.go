package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"

	"example.com/checker"
)

// rules are what SARIF calls the states that it is told of.
var rules = []struct {
	state            state
	id, level, title string
}{
	{dead, "dead-link", "error", "A link whose site is offline for certain, or has no such page"},
	{known, "dead-link", "error", ""},
	{unknown, "unknown-link", "note", "A link of which nothing can be told from here"},
	{doubtful, "doubtful-link", "warning", "A link whose site answers with an error that may pass, or that is about who asks"},
	{misplaced, "missing-fragment", "warning", "A link to a place that its page does not have"},
	{moved, "moved-link", "note", "A link whose page has moved for good"},
}

type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifRule struct {
		ID                   string     `json:"id"`
		ShortDescription     sarifText  `json:"shortDescription"`
		DefaultConfiguration sarifLevel `json:"defaultConfiguration"`
	}
	sarifLocation struct {
		PhysicalLocation struct {
			ArtifactLocation struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				StartLine   int `json:"startLine"`
				StartColumn int `json:"startColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
	sarifSuppression struct {
		Kind string `json:"kind"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifRun struct {
		Tool struct {
			Driver struct {
				Name  string      `json:"name"`
				Rules []sarifRule `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
)

// writeSARIF writes a log of SARIF 2.1.0 with a result for each link that there is
// something to say of.
func writeSARIF(w io.Writer, _ *linkRun, findings []finding) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver.Name = "linkcheck"
	for _, r := range rules {
		if r.title != "" {
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{r.id, sarifText{r.title}, sarifLevel{r.level}})
		}
	}
	times := make(map[entry]int) // how often a file has had a link so far
	for _, f := range findings {
		for _, r := range rules {
			if r.state == f.State {
				times[f.entry()]++
				run.Results = append(run.Results, sarifOf(f, r.id, r.level, times[f.entry()]))
			}
		}
	}
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs":    []sarifRun{run},
	})
	if err != nil {
		return err
	}
	return b.Flush()
}

// sarifOf returns a result. Its fingerprint is of the file and the URL, not of the line,
// so that it stays the same while the file is edited.
func sarifOf(f finding, rule, level string, time int) sarifResult {
	e := f.entry()
	r := sarifResult{
		RuleID: rule, Level: level,
		Message:             sarifText{e.url + ": " + f.Text},
		PartialFingerprints: map[string]string{"link/v1": fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprintln(e.file, e.url, time))))[:32]},
	}
	var l sarifLocation
	l.PhysicalLocation.ArtifactLocation.URI = fileURI(f.File)
	l.PhysicalLocation.Region.StartLine, l.PhysicalLocation.Region.StartColumn = f.Line, f.Column
	r.Locations = []sarifLocation{l}
	if f.State == known {
		r.Suppressions = []sarifSuppression{{"external"}}
	}
	return r
}

// fileURI returns a file's path as a URI, relative if the path is.
func fileURI(file string) string {
	u := url.URL{Path: checker.Redact(file)}
	if path.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}
