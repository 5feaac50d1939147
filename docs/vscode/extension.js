// Starts `drvc lsp` and hands it every file in KDL; it leaves alone what is not drvc's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
    const [command, ...args] = workspace.getConfiguration("drvc").get("command");
    client = new LanguageClient("drvc", "drvc", { command, args }, { documentSelector: [{ language: "kdl" }] });
    return client.start();
};

exports.deactivate = () => client?.stop();
