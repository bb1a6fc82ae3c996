// Updates the first page in place from server-sent events. Without this
// script the page reloads itself now and then.
//
// A stream's first event brings everything, so a page that comes back from
// the background closes its stream and opens a new one.
"use strict";
(function () {
  var list = document.getElementById("umpan");
  var sentence = document.getElementById("kalimat");
  if (!window.EventSource || !list || !sentence) return;
  var LINES = 30;
  var pause = document.getElementById("jeda");
  var paused = false;
  var waiting = [];
  var last = list.getAttribute("data-id") || "";
  var source = null;

  function tell(lines) {
    lines.forEach(function (line) {
      // Made and escaped by the hub itself.
      list.insertAdjacentHTML("afterbegin", line);
    });
    while (list.children.length > LINES) list.removeChild(list.lastChild);
  }

  function part(name, html) {
    var place = document.getElementById(name);
    if (!place || html === undefined) return;
    // What has the focus, and what is folded open, stays so.
    var open = Array.prototype.map.call(place.querySelectorAll("details"), function (it) {
      return it.open;
    });
    var links = place.querySelectorAll("a, summary");
    var focus = Array.prototype.indexOf.call(links, document.activeElement);
    place.innerHTML = html;
    Array.prototype.forEach.call(place.querySelectorAll("details"), function (it, at) {
      it.open = !!open[at];
    });
    links = place.querySelectorAll("a, summary");
    if (focus >= 0 && links[focus]) links[focus].focus();
  }

  function show(event) {
    var update = JSON.parse(event.data);
    last = event.lastEventId || last;
    if (update.kalimat && sentence.textContent !== update.kalimat) {
      sentence.textContent = update.kalimat;
    }
    ["hitung", "jumlah", "hub", "perlu"].forEach(function (name) {
      part(name, update[name]);
    });
    (update.desa || []).forEach(function (one) {
      var tile = document.getElementById("d" + one.d);
      if (!tile) return;
      tile.className = "tile s" + one.s;
      tile.setAttribute("aria-label", one.l);
      tile.querySelector(".mark").textContent = one.s;
      tile.querySelector("small").textContent = one.t;
    });
    if (update.umpan && paused) waiting = waiting.concat(update.umpan).slice(-LINES);
    else if (update.umpan) tell(update.umpan);
    document.body.classList.remove("stale");
  }

  function open() {
    close();
    var query = location.search ? location.search + "&" : "?";
    source = new EventSource("/events" + query + "id=" + encodeURIComponent(last));
    source.onmessage = show;
    source.onerror = function () {
      document.body.classList.add("stale");
      // Refused, not only broken: the session may have ended.
      if (source && source.readyState === 2) {
        close();
        setTimeout(function () { location.reload(); }, 10000 + Math.random() * 10000);
      }
    };
  }

  function close() {
    if (source) source.close();
    source = null;
  }

  pause.hidden = false;
  pause.setAttribute("aria-pressed", "false");
  var words = [pause.textContent, pause.getAttribute("data-lanjut")];
  pause.addEventListener("click", function () {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = words[paused ? 1 : 0];
    if (!paused) {
      tell(waiting);
      waiting = [];
    }
  });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) close();
    else open();
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) open();
  });
  if (!document.hidden) open();
})();
