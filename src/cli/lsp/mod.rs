//! `drvc lsp`: a language server for manifests and profiles, over standard input and output.
//!
//! * [`workspace`] holds the texts that are open, laid over the disk, and has the compiler look at them.
//! * [`diagnostics`], [`actions`], [`outline`], ... each answer one kind of question from that.
//!
//! One thread answers, in the order in which it is asked; diagnostics are made when nothing waits to be answered. No
//! program is run and no network is asked.

mod actions;
mod completion;
mod context;
mod diagnostics;
mod document;
mod facts;
mod hints;
mod hover;
mod item;
mod names;
mod navigation;
mod outline;
mod protocol;
mod tree;
mod uri;
mod values;
mod variables;
mod workspace;

use super::project::Compiling;
use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::text::error::Error;
use clap::Args;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use protocol::{Changed, OfDocument, Opened};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use workspace::Workspace;

/// So long the server waits for a next edit before it looks for mistakes.
const PAUSE: Duration = Duration::from_millis(15);

/// So long it waits before it compiles a large project, of which it has only looked at the matrix.
const REST: Duration = Duration::from_millis(200);

/// Help editors: mistakes as you type, completion, renaming (a language server on standard input and output)
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # what an editor runs; docs/editors.md has the settings of each
  drvc lsp
  # where the outputs have another name
  drvc lsp -o containers

It reads what is open in the editor, saved or not, and the files beside it. It runs no program, asks no
network and writes nothing.

Exit code 0 when the editor has said goodbye, 1 when it has gone without, 4 if it cannot be understood.")]
pub(super) struct Lsp {
    #[command(flatten)]
    compiling: Compiling,
}

pub(super) fn lsp(args: Lsp, terminal: &Terminal) -> Result<Exit, Failure> {
    let wrong = |cause: &dyn std::fmt::Display| Error::new("speak with", "the editor", cause.to_string());
    let (connection, threads) = Connection::stdio();
    let (id, editor) = connection.initialize_start().map_err(|error| wrong(&error))?;
    let about = json!({ "name": "drvc", "version": env!("CARGO_PKG_VERSION") });
    let about = json!({ "capabilities": capabilities(), "serverInfo": about });
    connection.initialize_finish(id, about).map_err(|error| wrong(&error))?;
    let mut server = Server {
        connection,
        workspace: Workspace::new(args.compiling),
        shown: BTreeSet::new(),
        due: None,
        refreshes: false,
    };
    if editor["capabilities"]["workspace"]["didChangeWatchedFiles"]["dynamicRegistration"] == json!(true) {
        server.watch();
    }
    server.refreshes = editor["capabilities"]["workspace"]["inlayHint"]["refreshSupport"] == json!(true);
    let exit = server.serve();
    drop(server);
    if threads.join().is_err() {
        terminal.say("the editor has gone");
    }
    Ok(exit)
}

fn capabilities() -> Value {
    json!({
        "positionEncoding": "utf-16",
        "textDocumentSync": { "openClose": true, "change": 2, "save": {} },
        "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"] },
        "documentFormattingProvider": true,
        "documentSymbolProvider": true,
        "foldingRangeProvider": true,
        "completionProvider": { "triggerCharacters": ["\"", "{", "="] },
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": { "prepareProvider": true },
        "documentLinkProvider": {},
        "inlayHintProvider": true,
    })
}

/// A conversation with one editor.
struct Server {
    connection: Connection,
    workspace: Workspace,
    /// The files in which something is shown.
    shown: BTreeSet<String>,
    /// When the mistakes are to be looked for.
    due: Option<Instant>,
    /// Whether the editor can be told that there are other hints now.
    refreshes: bool,
}

/// Why a request has no answer.
struct Refusal(ErrorCode, String);

impl Server {
    /// Answers until the editor ends it.
    fn serve(&mut self) -> Exit {
        loop {
            let received = match self.due {
                Some(due) => self.connection.receiver.recv_deadline(due).map_err(|error| error.is_timeout()),
                None => self.connection.receiver.recv().map_err(|_| false),
            };
            match received {
                Err(true) => self.show(),
                Err(false) => return Exit::Diagnostics,
                Ok(Message::Request(request)) => match self.connection.handle_shutdown(&request) {
                    Ok(true) => return Exit::Fine,
                    Ok(false) => self.request(request),
                    Err(_) => return Exit::Diagnostics,
                },
                Ok(Message::Notification(notification)) if notification.method == "exit" => {
                    return Exit::Diagnostics;
                }
                Ok(Message::Notification(notification)) => self.notification(notification),
                Ok(Message::Response(_)) => {}
            }
        }
    }

    /// Asks the editor to say when files change that a manifest's meaning depends on, such as by `drvc lock`.
    fn watch(&self) {
        let files = json!({ "watchers": [{ "globPattern": "**/{drivers.lock,*.kdl,*.patch}" }] });
        let wanted =
            json!({ "id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": files });
        self.ask("client/registerCapability", json!({ "registrations": [wanted] }));
    }

    /// Asks the editor for something whose answer tells nothing.
    fn ask(&self, method: &str, params: Value) {
        self.send(Request::new(method.to_owned().into(), method.to_owned(), params));
    }

    fn send(&self, message: impl Into<Message>) {
        // Where nobody reads any more, the next message says so.
        let _ = self.connection.sender.send(message.into());
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        let workspace = &mut self.workspace;
        let understood = match method.as_str() {
            "textDocument/didOpen" => {
                read::<Opened>(params).map(|opened| workspace.open(opened.text_document))
            }
            "textDocument/didChange" => read::<Changed>(params).map(|changed| workspace.change(&changed)),
            "textDocument/didClose" => {
                read::<OfDocument>(params).map(|closed| workspace.close(&closed.text_document.uri))
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                workspace.forget();
                Ok(())
            }
            _ => return,
        };
        if understood.is_ok() {
            self.due = Some(Instant::now() + PAUSE);
        }
    }

    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        self.send(match answer(&self.workspace, &method, params) {
            Ok(answer) => Response::new_ok(id, answer),
            Err(Refusal(code, message)) => Response::new_err(id, code as i32, message),
        });
    }

    /// Shows what is wrong in every project that is open, and takes away what no longer is.
    fn show(&mut self) {
        if self.workspace.catch_up() && self.refreshes {
            self.ask("workspace/inlayHint/refresh", Value::Null);
        }
        let mut shown = BTreeSet::new();
        for analysis in self.workspace.analyses() {
            for (uri, diagnostics) in diagnostics::by_file(&analysis, &self.workspace) {
                shown.insert(uri.clone());
                self.publish(uri, diagnostics);
            }
        }
        let gone: Vec<String> = self.shown.difference(&shown).cloned().collect();
        gone.into_iter().for_each(|uri| self.publish(uri, Vec::new()));
        self.shown = shown;
        self.due = self.workspace.is_behind().then(|| Instant::now() + REST);
    }

    fn publish(&self, uri: String, diagnostics: Vec<Value>) {
        let version = self.workspace.document(&uri).map(|document| document.version);
        let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
        if let Some(version) = version {
            params["version"] = json!(version);
        }
        self.send(Notification::new("textDocument/publishDiagnostics".to_owned(), params));
    }
}

fn answer(workspace: &Workspace, method: &str, params: Value) -> Result<Value, Refusal> {
    let found = match method {
        "textDocument/codeAction" => actions::actions(workspace, &read(params)?),
        "textDocument/completion" => completion::complete(workspace, &read(params)?),
        "textDocument/definition" => navigation::definition(workspace, &read(params)?),
        "textDocument/documentHighlight" => navigation::highlights(workspace, &read(params)?),
        "textDocument/documentLink" => navigation::links(workspace, &read(params)?),
        "textDocument/documentSymbol" => outline::symbols(workspace, &read(params)?),
        "textDocument/foldingRange" => outline::folds(workspace, &read(params)?),
        "textDocument/formatting" => actions::layout(workspace, &read(params)?),
        "textDocument/hover" => hover::hover(workspace, &read(params)?),
        "textDocument/inlayHint" => hints::hints(workspace, &read(params)?),
        "textDocument/prepareRename" => navigation::prepare_rename(workspace, &read(params)?),
        "textDocument/references" => navigation::references(workspace, &read(params)?),
        "textDocument/rename" => {
            let renamed = navigation::rename(workspace, &read(params)?);
            renamed.map_err(|why| Refusal(ErrorCode::RequestFailed, why))?
        }
        _ => return Err(Refusal(ErrorCode::MethodNotFound, format!("drvc does not answer {method}"))),
    };
    Ok(found.unwrap_or_default())
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal(ErrorCode::InvalidParams, error.to_string()))
}
