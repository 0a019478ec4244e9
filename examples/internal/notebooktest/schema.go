package notebooktest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed schema/nbformat.v4.5.schema.json
var official []byte

// Validate checks a notebook against the official schema of format 4.5, and that the identifiers of its cells differ,
// which the schema cannot express.
func Validate(notebook []byte) error {
	var v any
	if err := json.Unmarshal(notebook, &v); err != nil {
		return err
	}
	var root map[string]any
	if err := json.Unmarshal(official, &root); err != nil {
		return err
	}
	if err := (&schema{root}).check(root, v, "notebook"); err != nil {
		return err
	}
	seen := map[any]bool{}
	for _, c := range v.(map[string]any)["cells"].([]any) {
		id := c.(map[string]any)["id"]
		if seen[id] {
			return fmt.Errorf("two cells have the identifier %v", id)
		}
		seen[id] = true
	}
	return nil
}

// ErrNoPython is returned where Python or its package nbformat is not installed.
var ErrNoPython = errors.New("python3 with the package nbformat is not here")

// ValidateWithPython asks the format's own library.
func ValidateWithPython(notebook []byte) error {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import nbformat").Run() != nil {
		return ErrNoPython
	}
	cmd := exec.Command(python, "-c", "import nbformat, sys; nbformat.validate(nbformat.reads(sys.stdin.read(), as_version=nbformat.NO_CONVERT))")
	cmd.Stdin = bytes.NewReader(notebook)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// schema checks the part of JSON Schema, draft 4, that the notebook format uses. A keyword that it does not know is an
// error, so that nothing is passed over in silence.
type schema struct{ root map[string]any }

// ignored are keywords that bind nothing. The last three stand in the official schema where a keyword is expected;
// validators pass over them.
var ignored = []string{"$schema", "description", "definitions", "item", "source_hidden", "outputs_hidden"}

func (s *schema) check(rules map[string]any, v any, at string) error {
	fail := func(format string, args ...any) error { return fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)) }
	if ref, ok := rules["$ref"].(string); ok { // draft 4: what stands beside it is ignored
		var target any = s.root
		for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			target = target.(map[string]any)[key]
		}
		return s.check(target.(map[string]any), v, at)
	}
	object, _ := v.(map[string]any)
	for keyword, rule := range rules {
		switch keyword {
		case "type":
			types, ok := rule.([]any)
			if !ok {
				types = []any{rule}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return isA(v, t.(string)) }) {
				return fail("%v is no %v", v, rule)
			}
		case "enum":
			if !slices.ContainsFunc(rule.([]any), func(e any) bool { return reflect.DeepEqual(e, v) }) {
				return fail("%v is none of %v", v, rule)
			}
		case "required":
			for _, key := range rule.([]any) {
				if _, ok := object[key.(string)]; object != nil && !ok {
					return fail("%v is missing", key)
				}
			}
		case "properties", "patternProperties", "additionalProperties": // together, below
		case "items":
			list, _ := v.([]any)
			for i, e := range list {
				if err := s.check(rule.(map[string]any), e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
		case "uniqueItems":
			list, _ := v.([]any)
			for i := range list {
				if slices.ContainsFunc(list[:i], func(e any) bool { return reflect.DeepEqual(e, list[i]) }) {
					return fail("%v occurs twice", list[i])
				}
			}
		case "pattern":
			if text, ok := v.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
				return fail("%q does not match %s", text, rule)
			}
		case "minLength", "maxLength":
			text, ok := v.(string)
			if n := float64(utf8.RuneCountInString(text)); ok && n != rule && (n < rule.(float64)) == (keyword == "minLength") {
				return fail("%q: %s is %v", text, keyword, rule)
			}
		case "minimum", "maximum":
			if n, ok := v.(float64); ok && n != rule && (n < rule.(float64)) == (keyword == "minimum") {
				return fail("%v: %s is %v", n, keyword, rule)
			}
		case "oneOf":
			var errs []error
			for _, alternative := range rule.([]any) {
				if err := s.check(alternative.(map[string]any), v, at); err != nil {
					errs = append(errs, err)
				}
			}
			if n := len(rule.([]any)) - len(errs); n != 1 {
				return fail("%d of the alternatives hold: %v", n, errors.Join(errs...))
			}
		default:
			if !slices.Contains(ignored, keyword) {
				return fail("the checker does not know the keyword %q", keyword)
			}
		}
	}
	properties, _ := rules["properties"].(map[string]any)
	patterns, _ := rules["patternProperties"].(map[string]any)
	for key, member := range object {
		known := false
		if rule, ok := properties[key]; ok {
			known = true
			if err := s.check(rule.(map[string]any), member, at+"."+key); err != nil {
				return err
			}
		}
		for pattern, rule := range patterns {
			if regexp.MustCompile(pattern).MatchString(key) {
				known = true
				if err := s.check(rule.(map[string]any), member, at+"."+key); err != nil {
					return err
				}
			}
		}
		if known {
			continue
		}
		switch rule := rules["additionalProperties"].(type) {
		case bool:
			if !rule {
				return fail("unknown key %q", key)
			}
		case map[string]any:
			if err := s.check(rule, member, at+"."+key); err != nil {
				return err
			}
		}
	}
	return nil
}

func isA(v any, kind string) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	}
	return false
}
