// Updates the first page in place from server-sent events. Without this
// script the page reloads itself now and then.
"use strict";
(function () {
  if (!window.EventSource || !document.getElementById("kalimat")) return;
  var source = new EventSource("/events");
  source.onmessage = function (event) {
    var update = JSON.parse(event.data);
    var sentence = document.getElementById("kalimat");
    if (update.kalimat && sentence.textContent !== update.kalimat) {
      sentence.textContent = update.kalimat;
    }
    ["jumlah", "perlu"].forEach(function (part) {
      // Made and escaped by the hub itself.
      if (update[part]) document.getElementById(part).innerHTML = update[part];
    });
    update.desa.forEach(function (one) {
      var tile = document.getElementById("d" + one.d);
      if (!tile) return;
      tile.className = "tile s" + one.s;
      tile.setAttribute("aria-label", one.l);
      tile.querySelector(".mark").textContent = one.s;
      tile.querySelector("small").textContent = one.t;
    });
    document.body.classList.remove("stale");
  };
  source.onerror = function () {
    document.body.classList.add("stale");
  };
})();
