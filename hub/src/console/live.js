// Updates the first page in place from server-sent events, until its reader
// pauses it. Without this script the page loads anew when its reader asks.
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
  var kept = {};
  var last = list.getAttribute("data-id") || "";
  var source = null;

  function tell(lines) {
    lines.forEach(function (line) {
      // Made and escaped by the hub itself.
      list.insertAdjacentHTML("afterbegin", line);
    });
    while (list.children.length > LINES) list.removeChild(list.lastChild);
  }

  // What a link, a fold or a button is, wherever it stands after an update.
  function key(it) {
    var card = it.closest("[data-kunci]");
    return [card ? card.getAttribute("data-kunci") : "", it.tagName,
      it.getAttribute("href") || it.textContent].join("|");
  }

  function within(place, selector) {
    return Array.prototype.slice.call(place.querySelectorAll(selector));
  }

  // Somebody has marked words here, to copy them.
  function marked(place) {
    var selection = window.getSelection && window.getSelection();
    return selection && !selection.isCollapsed && place.contains(selection.anchorNode);
  }

  function part(name, html) {
    var place = document.getElementById(name);
    if (!place || html === undefined) return;
    if (marked(place)) {
      kept[name] = html;
      return;
    }
    delete kept[name];
    // What has the focus, and what is folded open, stays so.
    var open = within(place, "details[open] > summary").map(key);
    var active = document.activeElement;
    var focus = active && active !== place && place.contains(active) ? key(active) : null;
    place.innerHTML = html;
    within(place, "details > summary").forEach(function (it) {
      it.parentNode.open = open.indexOf(key(it)) >= 0;
    });
    if (focus === null) return;
    var again = within(place, "a, summary, button").filter(function (it) {
      return key(it) === focus;
    })[0];
    if (!again) {
      // It is gone: stay here rather than at the top of the page.
      place.tabIndex = -1;
      again = place;
    }
    again.focus({ preventScroll: true });
  }

  // What is folded away of a kecamatan: how many are fresh, how many never came.
  function count(kecamatan) {
    within(kecamatan, ".fold [data-huruf]").forEach(function (it) {
      var looks = it.getAttribute("data-huruf") === "S" ? ".tile.sS, .tile.sK" : ".tile.sB";
      var many = within(kecamatan, looks).length;
      it.textContent = many;
      it.parentNode.hidden = many === 0;
    });
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
      count(tile.closest(".kec"));
      tile.querySelector("small").textContent = one.t;
    });
    if (update.umpan) tell(update.umpan);
    document.body.classList.remove("stale");
  }

  function open() {
    close();
    if (paused) return;
    document.body.setAttribute("data-hidup", "");
    var query = location.search ? location.search + "&" : "?";
    source = new EventSource("/events" + query + "id=" + encodeURIComponent(last));
    source.onmessage = show;
    source.onerror = function () {
      document.body.classList.add("stale");
      // Refused, not only broken: the session may have ended.
      if (source && source.readyState === 2) {
        close();
        // Nobody asked for this: it must not keep a session alive.
        var anew = location.search.replace(/[?&]sendiri=1/, "");
        anew = location.pathname + (anew ? anew.replace(/^&/, "?") + "&" : "?") + "sendiri=1";
        setTimeout(function () { location.replace(anew); }, 10000 + Math.random() * 10000);
      }
    };
  }

  function close() {
    if (source) source.close();
    source = null;
    document.body.removeAttribute("data-hidup");
  }

  document.getElementById("hidup").hidden = false;
  pause.setAttribute("aria-pressed", "false");
  var words = [pause.textContent, pause.getAttribute("data-lanjut")];
  pause.addEventListener("click", function () {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = words[paused ? 1 : 0];
    // A new stream begins with everything, and with the news missed.
    if (paused) close();
    else open();
  });
  document.addEventListener("selectionchange", function () {
    Object.keys(kept).forEach(function (name) {
      part(name, kept[name]);
    });
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
