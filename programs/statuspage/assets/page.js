// The page is whole without this script; with it, it stays true without being
// loaded again. What the server streams is HTML that it has escaped, and the
// page's policy runs no script that may hide in it all the same.
"use strict";

const page = document.documentElement;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const search = document.getElementById("q");
const quiet = 30_000; // ms; the server promises a message every 10 s
const ahead = Date.parse(page.dataset.now) - Date.now(); // ms, of the server's clock before ours

let source;
let watchdog;

// patch puts each element in html in the place of the one with its id. What is
// the same stays, so that focus and selection do.
function patch(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const fresh of template.content.children) {
    const old = document.getElementById(fresh.id);
    if (!old) continue;
    const changed = old.className !== fresh.className;
    old.className = fresh.className;
    if (old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.cloneNode(true).childNodes);
    if (!changed) continue;
    if (old.tagName === "TR") {
      order(old, urgency);
      order(old.parentElement, (body) => urgency(body.querySelector("tr[id]")));
    }
    if (!calm.matches) old.animate({ opacity: [0.2, 1] }, 900);
  }
}

// urgency is less the sooner a row is to be seen, as the server has it.
function urgency(row) {
  return { offline: 1, unknown: 2 }[row.className] ?? 3;
}

// order moves an element to its place among its siblings: by rank, and else by the
// number in its id, which is its place in the list.
function order(item, rank) {
  const key = (e) => rank(e) * 1e6 + Number(e.id.slice(1));
  const next = [...item.parentElement.children].find((e) => e.id && e !== item && key(e) > key(item)) ?? null;
  if (item.nextElementSibling !== next) item.parentElement.insertBefore(item, next);
}

// find shows the rows that have what is searched for in their name, address or group.
function find() {
  const text = search.value.trim().toLowerCase();
  for (const row of document.querySelectorAll("tbody tr[id]")) {
    const group = row.parentElement.querySelector(".group bdi");
    row.hidden = ![row.cells[0], group].some((e) => e.textContent.toLowerCase().includes(text));
  }
  page.dataset.query = text;
  history.replaceState(null, "", asked(location.href, text));
  for (const link of document.querySelectorAll("nav a")) link.href = asked(link.href, text);
}

// asked returns a URL with a search in it.
function asked(href, text) {
  const url = new URL(href);
  if (text) url.searchParams.set("q", text);
  else url.searchParams.delete("q");
  return url;
}

// announce tells the headline to those who do not see it: in the tab's title
// and icon, and to a screen reader, when it has changed.
function announce() {
  const headline = document.getElementById("headline");
  const text = headline.textContent;
  document.title = text + " · " + page.dataset.title;
  document.getElementById("icon").href = "/assets/" + headline.className + ".svg";
  const spoken = document.getElementById("spoken");
  if (spoken.dataset.last && spoken.dataset.last !== text) spoken.textContent = text;
  spoken.dataset.last = text;
}

// pass tells how long ago things were, which no event does: time alone changes it.
function pass() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = ago(Math.floor((Date.now() + ahead - Date.parse(time.dateTime)) / 1000));
    if (time.textContent !== text) time.textContent = text;
  }
}

// ago writes seconds as the server does.
function ago(s) {
  s = Math.max(s, 0);
  const m = Math.floor(s / 60), h = Math.floor(m / 60);
  if (s < 60) return `${s} s`;
  if (m < 60) return `${m} min`;
  if (h < 10) return `${h} h ${m % 60} min`;
  return h < 48 ? `${h} h` : `${Math.floor(h / 24)} days`;
}

// alive notes whether the server is there. A connection may die without a
// sign, so silence counts as lost, and is then ended for a new one.
function alive(yes) {
  document.getElementById("lost").hidden = yes;
  page.classList.toggle("stale", !yes);
  clearTimeout(watchdog);
  if (yes) watchdog = setTimeout(() => { alive(false); connect(); }, quiet);
}

function connect() {
  if (source) source.close();
  source = new EventSource(page.dataset.events);
  source.addEventListener("hello", (event) => {
    if (event.data !== page.dataset.build) location.reload(); // other sites or another version of the page
    alive(true);
  });
  source.addEventListener("message", (event) => {
    patch(event.data);
    announce();
    alive(true);
  });
  source.addEventListener("error", () => {
    alive(false);
    // Most errors are followed by another attempt of the browser's own.
    if (source.readyState === EventSource.CLOSED) watchdog = setTimeout(connect, 3000);
  });
}

search?.addEventListener("input", find); // the page of a site has none
setInterval(pass, 5_000);
announce();
connect();
