// Package customization runs Lua customizations of Argo CD as Argo CD runs them, without the rest of Argo CD.
package customization

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
	luajson "layeh.com/gopher-json"
)

// Argo CD gives a script this long.
const patience = time.Second

// Run runs a script on an object and returns the table that it returned, as JSON; nil where it returned nothing.
//
// The libraries are the ones that a script in the ConfigMap argocd-cm gets by default, which are fewer than a script that is built into
// Argo CD gets: base, table, and of os only date and time. What works with these works in both places.
func Run(script string, object map[string]any, parameters map[string]string) ([]byte, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return nil, fmt.Errorf("opening the library %q: %w", name, err)
		}
	}
	state.SetGlobal("os", state.SetFuncs(state.NewTable(), map[string]lua.LGFunction{
		"time": func(l *lua.LState) int { l.Push(lua.LNumber(time.Now().Unix())); return 1 },
		"date": func(l *lua.LState) int { l.Push(lua.LString(time.Now().UTC().Format(time.RFC3339))); return 1 },
	}))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	state.SetContext(ctx)

	given := state.NewTable()
	for name, value := range parameters {
		given.RawSetString(name, lua.LString(value))
	}
	state.SetGlobal("actionParams", given)
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		var raised *lua.ApiError
		if errors.As(err, &raised) && raised.Type == lua.ApiErrorRun {
			return nil, errors.New(raised.Object.String())
		}
		return nil, err
	}
	returned := state.Get(-1)
	switch returned.Type() {
	case lua.LTNil:
		return nil, nil
	case lua.LTTable:
		return luajson.Encode(returned)
	default:
		return nil, fmt.Errorf("the script must return a table, not a %s", returned.Type())
	}
}

// A value of a decoded object, as Lua sees it.
func value(state *lua.LState, decoded any) lua.LValue {
	switch decoded := decoded.(type) {
	case bool:
		return lua.LBool(decoded)
	case string:
		return lua.LString(decoded)
	case float64:
		return lua.LNumber(decoded)
	case int64:
		return lua.LNumber(decoded)
	case []any:
		table := state.CreateTable(len(decoded), 0)
		for _, item := range decoded {
			table.Append(value(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(decoded))
		for key, item := range decoded {
			table.RawSetString(key, value(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
