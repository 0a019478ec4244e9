package notebook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var regexpVersion = regexp.MustCompile(`"version": "go[^"]*"`)

func decode(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// validate checks a notebook against the official schema.
func validate(t *testing.T, nb any) error {
	t.Helper()
	b, err := os.ReadFile("testdata/nbformat.v4.5.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	root := decode(t, b).(map[string]any)
	return (&schema{root}).check(root, nb, "notebook")
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
