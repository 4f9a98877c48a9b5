// The scan page: the focus stays in the field, and scans are sent one after the other while the next one is typed.
"use strict";

const TRIES = 5;
const PATIENCE_MS = 8000;
const PAUSE_MS = 1000;
const IDLE_MS = 8000;
const form = document.getElementById("scan-form");
const code = document.getElementById("scan-code");
const place = document.getElementById("scan-location");
let queue = Promise.resolve();
let waiting = 0;

function nonce() {
    // randomUUID() exists only on https; a door may have plain http in its own network.
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pause(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function say(verdict, headline, reason) {
    const words = [["scan-headline", headline], ["scan-reason", reason]].map(([name, text]) => {
        const line = document.createElement("p");
        line.className = name;
        line.textContent = text;
        return line;
    });
    const answer = document.createElement("div");
    answer.className = `scan-answer scan-answer-${verdict}`;
    answer.append(...words);
    document.getElementById("scan-answer").replaceChildren(answer);
}

function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const id of ["scan-answer", "scan-latest"]) {
        document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    }
}

async function post(address, body) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
    try {
        const headers = {"X-Requested-With": "scan.js"};
        return await fetch(address, {method: "POST", body, headers, signal: abort.signal});
    } finally {
        clearTimeout(timer);
    }
}

// The nonce makes it safe to send the same scan again; an undo is safe by itself.
async function send(address, body) {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        try {
            const response = await post(address, body);
            if (response.redirected || response.status === 403) {
                location.assign(form.action); // logged out, or no longer allowed: the server says so
                return;
            }
            if (response.ok) {
                show(await response.text());
                return;
            }
        } catch {
            // No answer: the same again.
        }
        say("again", "WAIT", `The server does not answer; try ${attempt} of ${TRIES}.`);
        await pause(PAUSE_MS);
    }
    say("stop", "NO ANSWER", `Let nobody in yet: scan ${body.get("code") || ""} again.`);
}

function enqueue(address, body) {
    waiting += 1;
    form.dataset.waiting = waiting;
    queue = queue.then(() => send(address, body)).finally(() => {
        waiting -= 1;
        form.dataset.waiting = waiting;
    });
}

document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-scan]")) return;
    event.preventDefault();
    const body = new FormData(event.target);
    if (event.target === form) {
        body.set("nonce", nonce());
        code.value = "";
    }
    enqueue(event.target.action, body);
    code.focus();
});

// A click beside all fields comes back to the code; a person who goes to another field by hand or by key is let go.
code.addEventListener("blur", (event) => {
    if (!event.relatedTarget) setTimeout(() => document.activeElement === document.body && code.focus());
});
window.addEventListener("focus", () => document.activeElement === document.body && code.focus());

place.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    code.focus();
});
let idle;
for (const name of ["focus", "input"]) {
    place.addEventListener(name, () => {
        clearTimeout(idle);
        idle = setTimeout(() => document.activeElement === place && code.focus(), IDLE_MS);
    });
}

// A scanner types wherever the focus is: its first character brings the focus back, and lands in the field.
document.addEventListener("keydown", (event) => {
    const plain = event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (plain && event.key !== " " && !event.target.matches("input, textarea, select")) code.focus();
});

form.dataset.waiting = waiting;
code.focus();
