#!/usr/bin/env bash
# needs: nvim emacs
# Real editors with the settings of docs/editors.md: a mistake is shown, its edit is made, a name is changed, the file is
# laid out, and hovering, completing and hints answer.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"

PATH=$(dirname "$DRVC"):$PATH
dir=$CASE_DIR/project
# settings LANGUAGE: the block of docs/editors.md in that language.
settings() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$ROOT/docs/editors.md" | sed '1d;$d'; }

# write_manifest: with a misspelt node, and a line out of layout.
write_manifest() {
    c_module "$dir/driver" one
    manifest "$dir" <<'KDL'
source "driver" {
    path "driver"
}
module "one" {
    sorce "driver"
}
image "one" {
  module "one"
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64"
    }
}
KDL
}

# done_right FILE: holds what an editor saved to what it should be.
done_right() {
    contains "$1: the edit" "$(cat "$dir/drivers.kdl")" '    source "driver"'
    contains "$1: the layout" "$(cat "$dir/drivers.kdl")" '    module "two"'
    contains "$1: the new name" "$(cat "$dir/drivers.kdl")" 'module "two" {'
    "$DRVC" check -C "$dir" >"$CASE_DIR/logs/check" 2>&1 || die "$1: $(cat "$CASE_DIR/logs/check")"
}

write_manifest
settings lua >"$CASE_DIR/init.lua"
cat >"$CASE_DIR/test.lua" <<'LUA'
local function wait(what, test)
    if not vim.wait(20000, test, 50) then print("never: " .. what); vim.cmd("cquit") end
end
local function ask(method, more)
    local params = vim.tbl_extend("force", { textDocument = vim.lsp.util.make_text_document_params() }, more)
    return vim.lsp.buf_request_sync(0, "textDocument/" .. method, params, 20000)[1].result
end
local function apply(edit) vim.lsp.util.apply_workspace_edit(edit, "utf-16") end
wait("a mistake", function() return #vim.diagnostic.get(0) > 0 end)
print("mistake: " .. vim.diagnostic.get(0)[1].message)
local place = { line = 6, character = 6 }
local range = { start = place, ["end"] = place }
local actions = ask("codeAction", { range = range, context = { diagnostics = {} } })
print("action: " .. actions[1].title)
apply(actions[1].edit)
wait("no mistake", function() return #vim.diagnostic.get(0) == 0 or vim.diagnostic.get(0)[1].severity > 1 end)
apply(ask("rename", { position = { line = 5, character = 9 }, newName = "two" }))
vim.lsp.util.apply_text_edits(ask("formatting", { options = { tabSize = 4, insertSpaces = true } }), 0, "utf-16")
local hover = ask("hover", { position = { line = 3, character = 5 } })
print("hover: " .. hover.contents.value:gsub("\n", " "))
local items = ask("completion", { position = { line = 13, character = 19 } }).items
print("release: " .. items[1].detail)
print("hint: " .. ask("inlayHint", { range = { start = { line = 0, character = 0 }, ["end"] = { line = 99, character = 0 } } })[1].label)
vim.cmd("wqall!")
LUA
(cd "$dir" && timeout 100 nvim --headless -u "$CASE_DIR/init.lua" drivers.kdl "+luafile $CASE_DIR/test.lua") \
    >"$CASE_DIR/logs/neovim" 2>&1 || die "neovim: $(cat "$CASE_DIR/logs/neovim")"
seen=$(cat "$CASE_DIR/logs/neovim")
contains "neovim" "$seen" 'mistake: unknown node `sorce` in `module`: no such node'
contains "neovim" "$seen" 'action: drvc: write source'
contains "neovim" "$seen" 'hover: ```kdl path DIR { … } ```'
contains "neovim" "$seen" 'release: Debian 1'
contains "neovim" "$seen" 'hint: 1 target, 1 changed'
done_right neovim

write_manifest
{ echo "(require 'eglot)" && settings elisp; } >"$CASE_DIR/init.el"
cat >"$CASE_DIR/test.el" <<'LISP'
(defun wait (what test)
  (let ((rounds 400))
    (while (and (> rounds 0) (not (funcall test)))
      (accept-process-output nil 0.05)
      (setq rounds (1- rounds)))
    (when (= rounds 0) (error "never: %s" what))))
(find-file "drivers.kdl")
(run-hooks 'post-command-hook)
(wait "a server" #'eglot-managed-p)
(flymake-start)
(wait "a mistake" #'flymake-diagnostics)
(message "mistake: %s" (flymake-diagnostic-text (car (flymake-diagnostics))))
(goto-char (point-min))
(search-forward "sorce")
(let ((actions (eglot-code-actions (1- (point)) nil "quickfix" nil)))
  (message "action: %s" (plist-get (car actions) :title))
  (eglot--apply-workspace-edit (plist-get (car actions) :edit)))
(goto-char (point-min))
(search-forward "module \"on")
(eglot-rename "two")
(eglot-format-buffer)
(search-backward "path")
(message "hover: %s" (plist-get (plist-get (jsonrpc-request (eglot-current-server) :textDocument/hover (eglot--TextDocumentPositionParams)) :contents) :value))
(save-buffer)
(eglot-shutdown (eglot-current-server))
LISP
(cd "$dir" && timeout 100 emacs --batch -l "$CASE_DIR/init.el" -l "$CASE_DIR/test.el") >"$CASE_DIR/logs/emacs" 2>&1 ||
    die "emacs: $(cat "$CASE_DIR/logs/emacs")"
seen=$(cat "$CASE_DIR/logs/emacs")
contains "emacs" "$seen" 'unknown node `sorce` in `module`'
contains "emacs" "$seen" 'action: drvc: write source'
contains "emacs" "$seen" 'path DIR { … }'
done_right emacs
