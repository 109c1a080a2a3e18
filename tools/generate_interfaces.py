"""Write `openwebui_pocketbase.interfaces` from the installed Open WebUI: one protocol per stock repository.

    python tools/generate_interfaces.py [--check]

The source is read, not imported. With ``--check`` nothing is written; the exit code is 1 if the
files are not current.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG, RepositorySpec
from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.settings import GROUPS

INTERFACES = Path(__file__).parents[1] / "src" / "openwebui_pocketbase" / "interfaces"
HEADER = "# Generated from Open WebUI {version}; to renew, run: python tools/generate_interfaces.py\n"
# Rules which the host's signatures break, and protocols of them have to.
HOST_STYLE = {"A002", "B006", "N803", "PLR0917"}
# Longest text of a docstring, so that with indentation and quotes no line is longer than 110.
WIDTH = 96

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Annotations which a strict type checker does not accept as the host writes them.
PRECISE = {
    "dict": "dict[str, Any]",
    "list": "list[Any]",
    "set": "set[Any]",
    "tuple": "tuple[Any, ...]",
    "callable": "Callable[..., Any]",
}
BARE = re.compile(rf"(?<!['\w])(?:{'|'.join(PRECISE)})\b(?!\[)")
# Where names come from that the host's modules do not import under the same name.
IMPORTS = {
    "AbstractAsyncContextManager": "contextlib",
    "Any": "typing",
    "Callable": "collections.abc",
    "Protocol": "typing",
    "runtime_checkable": "typing",
}

LAST_CLAUSE = re.compile(r"(?: —|[;,]| \()[^—;,(]*$")
VERBS = {"get": "Return", "insert": "Store", "search": "Return", "update": "Change"}
# For methods without a docstring whose name alone does not make a sentence.
SENTENCES = {
    "add_file_to_channel_by_id": "Note that the file is used in the channel.",
    "add_members_to_channel": "Make the users, and the members of the groups, members of the channel.",
    "add_message_files_by_id_and_message_id": "Add files to a message of the chat.",
    "add_message_status_to_chat_by_id_and_message_id": "Add an entry to the status history of a message.",
    "add_reaction_to_message": "Store the reaction of a user to the message.",
    "add_users_to_group": "Make the users members of the group.",
    "check_access_by_user_id": "Tell whether the user may access the file.",
    "clear_mfa_challenges": "Return the MFA data without its pending challenges.",
    "count_unread_by_folder_ids": "Count the unread chats per folder.",
    "create_groups_by_group_names": "Create the groups of these names that do not exist.",
    "delete_history_entry": "Delete an entry that is not the current version of the model.",
    "delete_message_from_chat_by_id_and_message_id": "Delete a message of the chat.",
    "delete_message_from_history": "Take a message out of the history; return the ids that went.",
    "delete_tag_by_id_and_user_id_and_tag_name": "Take a tag off the chat of this user.",
    "filter_task_ids_by_user_id": "Return those of the task ids that the user started in the chat.",
    "get_accessible_chat_by_id": "Return the chat if the user has the permission on it.",
    "get_active_user_count": "Count the users who were active in the last minutes.",
    "get_ancestor_ids": "Return the ids of the groups above the group, with its own.",
    "get_current_message_id": "Return the id of the message at the end of the current branch.",
    "get_dm_channel_by_user_ids": "Return the direct-message channel of exactly these users.",
    "get_folder_ids_by_id_and_user_id_in_subtree": "Return the ids of the user's folder and all below it.",
    "get_group_member_count_by_id": "Count the members of the group.",
    "get_group_member_counts_by_ids": "Count the members of each group.",
    "get_group_user_ids_by_id": "Return the ids of the members of the group.",
    "get_group_user_ids_by_ids": "Return the ids of the members of each group.",
    "get_message_count_by_chat": "Count the messages per chat.",
    "get_message_count_by_model": "Count the messages per model.",
    "get_message_count_by_user": "Count the messages per user.",
    "get_messages_by_parent_id": "Return a page of the thread below a message.",
    "get_num_users": "Count the users.",
    "get_num_users_active_today": "Count the users active today.",
    "get_unread_message_count": "Count the messages of the channel which the user has not read.",
    "get_user_daily_usage": "Return messages and tokens of the user per day.",
    "get_user_first_message_created_at": "Return when the user's first message was created.",
    "get_user_top_models": "Return the models which the user used most.",
    "get_user_top_tools": "Return the tools which the user used most.",
    "get_user_usage_chat_stats": "Return totals and averages of the user's chats.",
    "get_user_usage_summary": "Return totals of messages and tokens of the user.",
    "get_valid_user_ids": "Return those of the ids that are ids of users.",
    "has_unfinished_assistant_by_chat_id": "Tell whether an answer in the chat is unfinished.",
    "has_users": "Tell whether there is any user.",
    "insert_chat_turn": "Store a user message and empty answers to it at the end of the chat.",
    "is_app_channel_member": "Tell whether the app is a member of the channel.",
    "is_user_active": "Tell whether the user was active in the last minutes.",
    "is_user_channel_manager": "Tell whether the user manages the channel.",
    "is_user_channel_member": "Tell whether the user is a member of the channel.",
    "join_channel": "Make the user a member of the channel.",
    "leave_channel": "End the user's membership of the channel.",
    "mark_chat_unread_by_id": "Mark the chat as unread.",
    "mark_chats_read_by_folder_ids": "Mark the chats in these folders as read.",
    "mark_chats_read_by_user_id": "Mark the chats of the user as read.",
    "merge_history": "Return the history with the incoming messages merged into the existing ones.",
    "move_chats_by_folder_id": "Move the chats of a folder to another one.",
    "new_entry": "Return a history entry that is not stored yet.",
    "normalize_folder_name": "Return the name in lower case, underscores and spaces as one space.",
    "pin_channel": "Pin or unpin the channel for the user.",
    "remove_file_from_channel_by_id": "Note that the file is no longer used in the channel.",
    "remove_members_from_channel": "End the membership of these users in the channel.",
    "remove_users_from_group": "End the membership of these users in the group.",
    "require_chat_creation_permission": "Raise an HTTP error unless the user may create chats.",
    "revoke_all_sessions": "End the sessions of all users; return their ids.",
    "revoke_sessions_by_user_id": "End all sessions of the user.",
    "search_groups": "Return a page of the groups that match a filter.",
    "search_models": "Return a page of the models that match a filter.",
    "set_file_message_id_in_channel_by_id": "Note which message of the channel has the file.",
    "set_group_user_ids_by_id": "Make exactly these users the members of the group.",
    "set_share_mode": "Set how a shared chat may be used.",
    "sync_groups_by_group_names": "Make the user a member of exactly the groups of these names.",
    "sync_models": "Make the stored models those of the list.",
    "toggle_chat_archive_by_id": "Archive or unarchive the chat.",
    "toggle_chat_pinned_by_id": "Pin or unpin the chat.",
    "toggle_model_by_id": "Activate or deactivate the model.",
    "update_chat_last_read_at_by_id": "Note that the user has read the chat.",
    "update_chat_folder_id_by_id_and_user_id": "Move the chat of the user into a folder, or out of any.",
    "update_folder_is_expanded_by_id_and_user_id": "Set whether the folder of the user is shown expanded.",
    "update_folder_parent_id_by_id_and_user_id": "Move the folder of the user into another, or to the top.",
    "update_is_pinned_by_id": "Pin or unpin the message.",
    "update_last_active_by_id": "Note that the user is active now, at most once per interval.",
    "update_member_active_status": "Set whether the user takes part in the channel.",
    "update_member_last_read_at": "Note that the user has read the channel.",
    "update_member_mute_status": "Mute or unmute the channel for the user.",
    "update_model_updated_at_by_id": "Note that the model has changed now.",
    "update_webhook_last_used_at": "Note that the webhook is used now.",
    "upsert_message_to_chat_by_id_and_message_id": "Store or change a message of the chat.",
    "upsert_message_to_history": "Store or change a message of the history, in place.",
}


def summary(function: Function) -> str:
    """Return one sentence about a method: the host's own, else one made from the name."""
    docstring = ast.get_docstring(function)
    if not docstring:
        return SENTENCES.get(function.name) or sentence_from_name(function.name)
    sentence = docstring.splitlines()[0]
    if not sentence.endswith(".") or len(sentence) > WIDTH:
        paragraph = " ".join(docstring.split("\n\n")[0].split())
        sentence = re.split(r"(?<=\.)\s", paragraph)[0].removesuffix(".") + "."
    while len(sentence) > WIDTH and (shorter := LAST_CLAUSE.sub(".", sentence)) != sentence:
        sentence = shorter
    return sentence


def sentence_from_name(name: str) -> str:
    """Return ``Return the tags for this user id.`` for ``get_tags_by_user_id``."""
    subject, _, keys = name.partition("_by_")
    verb, _, thing = subject.replace("_", " ").partition(" ")
    article = "" if thing.startswith("all ") else "a " if thing.startswith("new ") else "the "
    sentence = f"{VERBS.get(verb, verb.capitalize())} {article}{thing}"
    if keys:
        key_names = (key.replace("_", " ") for key in keys.split("_and_"))
        sentence += " for " + " and ".join(f"{'these' if key.endswith('s') else 'this'} {key}" for key in key_names)
    return f"{sentence}."


def annotation(node: ast.expr | None) -> str:
    """Return the source of an annotation; one that is missing says nothing, hence ``Any``."""
    return BARE.sub(lambda bare: PRECISE[bare[0]], ast.unparse(node)) if node else "Any"


def method(function: Function) -> str:
    """Return the source of a protocol method."""
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    arguments = copy.deepcopy(function.args)
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg) and argument.arg != "self":
            argument.annotation = ast.Name(annotation(argument.annotation))
    for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
        ast.literal_eval(default)  # anything else would need an import of its own, so better fail here
    returns, keyword = annotation(function.returns), "def"
    if "asynccontextmanager" in decorators:
        returns = "AbstractAsyncContextManager[Any]"
    elif isinstance(function, ast.AsyncFunctionDef):
        keyword = "async def"
    static = "    @staticmethod\n" if "staticmethod" in decorators else ""
    head = f"    {keyword} {function.name}({ast.unparse(arguments)}) -> {returns}:\n"
    return f'{static}{head}        """{summary(function)}"""\n'


def protocol(spec: RepositorySpec, tree: ast.Module) -> str:
    """Return the source of the protocol of one repository."""
    stock = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == spec.stock_class)
    methods = [method(node) for node in stock.body if isinstance(node, Function) and not node.name.startswith("_")]
    docstring = f'    """What callers use of ``{spec.name}``."""\n'
    head = f"@runtime_checkable\nclass {spec.interface}(Protocol):\n{docstring}"
    return "\n".join((head, *methods))


def names_of(spec: RepositorySpec, tree: ast.Module) -> dict[str, str]:
    """Return what annotations in the module can name: name -> module to import it from."""
    names = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name: node.module for alias in node.names if not alias.asname}
        elif isinstance(node, ast.ClassDef):
            names[node.name] = spec.module
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = spec.module
    return names


def group_module(group: str, package_dir: Path, version: str) -> str:
    """Return the source of ``interfaces/<group>.py``."""
    protocols, imports = [], dict(IMPORTS)
    for spec in CATALOG[group].repositories:
        tree = ast.parse((package_dir.parent / spec.source).read_text(encoding="utf-8"))
        protocols.append(protocol(spec, tree))
        imports |= names_of(spec, tree)
    body = "\n\n".join(protocols)
    used = sorted(set(re.findall(r"\b[A-Za-z]\w*", body)) & imports.keys())
    runtime = "".join(f"from typing import {name}\n" for name in used if imports[name] == "typing")
    for_types = "".join(f"    from {imports[name]} import {name}\n" for name in used if imports[name] != "typing")
    exports = sorted(spec.interface for spec in CATALOG[group].repositories)
    code = ruff(
        "check",
        "--fix",
        "--quiet",
        "--select=F401,I,UP",  # imports not needed and their order, modern annotations
        source=f"\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n{runtime}\n"
        f"if TYPE_CHECKING:\n{for_types}\n__all__ = {exports}\n\n\n{body}",
    )
    docstring = f'"""Protocols of the stock repositories of the group ``{group}``."""\n'
    return ruff("format", source=docstring + HEADER.format(version=version) + excuse(code) + code)


def excuse(code: str) -> str:
    """Return the comment that exempts what is the host's style and not ours, if there is any."""
    problems = json.loads(ruff("check", "--output-format=json", source=code))
    rules = ", ".join(sorted({problem["code"] for problem in problems} & HOST_STYLE))
    return f"# ruff: noqa: {rules} - names, number and defaults of arguments are the host's\n" if rules else ""


def package_module(version: str) -> str:
    """Return the source of ``interfaces/__init__.py``."""
    exports = {group: sorted(spec.interface for spec in CATALOG[group].repositories) for group in sorted(GROUPS)}
    imports = "".join(
        f"from openwebui_pocketbase.interfaces.{group} import {', '.join(names)}\n" for group, names in exports.items()
    )
    return ruff(
        "format",
        source='"""What callers use of the stock repositories, as protocols: one module per group.\n\n'
        "The stock classes satisfy them as they are; so must everything that replaces one.\n"
        f'"""\n{HEADER.format(version=version)}\n{imports}\n__all__ = {sorted(chain(*exports.values()))}\n',
    )


def ruff(*command: str, source: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--stdin-filename", INTERFACES / "generated.py", "-"],
        input=source,
        capture_output=True,
        check=False,  # finding something is reported as a failure
        text=True,
    ).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the files are current")
    arguments = parser.parse_args()
    installed = installed_open_webui()
    if installed is None:
        parser.error("Open WebUI is not installed")
    files = {INTERFACES / f"{group}.py": group_module(group, *installed) for group in GROUPS}
    files[INTERFACES / "__init__.py"] = package_module(installed[1])
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if stale and arguments.check:
        names = ", ".join(path.name for path in stale)
        print(f"not current: {names}; run: python tools/generate_interfaces.py", file=sys.stderr)
        return 1
    for path in stale:
        path.write_text(files[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
