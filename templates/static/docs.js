// Shows the OpenAPI document on /api/docs. Everything comes from this origin, and nothing is sent to another one.
"use strict";

// Swagger UI has a dark theme, and leaves it to the page to choose it: that of the page around it.
const page = document.documentElement;
const follow = () => page.classList.toggle("dark-mode", page.dataset.bsTheme === "dark");
new MutationObserver(follow).observe(page, { attributeFilter: ["data-bs-theme"] });
follow();

SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // The schemas follow the operations; they are long, so they begin folded.
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // Neither the address of the page nor what was entered before may decide what is shown or sent.
  queryConfigEnabled: false,
  persistAuthorization: false,
  // No badge: it would send the address of the document to a validator on the internet.
  validatorUrl: null,
  // What a person enters under "Authorize" is who calls; the session's cookie stays out of it.
  requestInterceptor: (request) => Object.assign(request, { credentials: "omit" }),
});
