// What links and forms cannot do: "/" goes to the search, and a page that asks for it renews itself when something moved.
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      var search = document.getElementById("q");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });
  var clock = document.getElementById("clock");
  if (!clock || !window.EventSource) return;
  var waiting = null;
  var source = new EventSource("/live");
  source.addEventListener("clock", function (event) {
    clock.textContent = event.data;
    document.body.classList.remove("late");
  });
  source.addEventListener("moved", function () {
    // At most one renewal in two seconds, and none while somebody types or has something open.
    if (waiting || !window.htmx) return;
    waiting = setTimeout(function () {
      waiting = null;
      var busy = document.querySelector("[data-live] details[open], [data-live] input:focus");
      if (!busy) window.htmx.trigger(document.body, "moved");
    }, 2000);
  });
  source.onerror = function () {
    document.body.classList.add("late");
  };
})();
