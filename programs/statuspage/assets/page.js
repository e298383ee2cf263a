// The page is whole without this script; with it, it stays true without being
// loaded again. What the server streams is HTML that it has escaped, and the
// page's policy runs no script that may hide in it all the same.
"use strict";

const page = document.documentElement;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const quiet = 30_000; // ms; the server promises a message every 10 s

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
    if (changed && !calm.matches) old.animate({ opacity: [0.2, 1] }, 900);
  }
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

announce();
connect();
