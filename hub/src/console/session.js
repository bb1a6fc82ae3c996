// Warns before a session ends for want of use, and lets it go on. Without this
// script the foot of the page says when it ends.
"use strict";
(function () {
  // On a telephone the page one is on may lie beside the window.
  var here = document.querySelector(".pages [aria-current]");
  if (here) {
    var pages = here.parentNode;
    pages.scrollLeft = here.offsetLeft - pages.offsetLeft - (pages.clientWidth - here.offsetWidth) / 2;
  }
})();
(function () {
  var note = document.getElementById("sesi");
  var warning = document.getElementById("sesi-peringatan");
  if (!note || !warning || !window.fetch) return;
  var WARNED = 5 * 60 * 1000;
  var LOOK_EVERY = 15 * 1000;
  var length = Number(note.getAttribute("data-lama"));
  var until = Date.now() + length;
  var words = warning.querySelector("span");
  var stay = warning.querySelector("button");

  function look() {
    // A page that is told what changes is in use.
    if (document.body.hasAttribute("data-hidup")) until = Date.now() + length;
    var left = until - Date.now();
    var over = left <= 0;
    warning.hidden = left > WARNED;
    note.hidden = !warning.hidden;
    stay.hidden = over;
    var said = words.getAttribute(over ? "data-berakhir" : "data-segera");
    if (!warning.hidden && words.textContent !== said) words.textContent = said;
  }

  stay.addEventListener("click", function () {
    fetch("/sesi", { method: "POST", redirect: "manual" }).then(function (answer) {
      until = answer.status === 204 ? Date.now() + length : 0;
      look();
    });
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_EVERY);
})();
