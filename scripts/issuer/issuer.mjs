// An OIDC provider for the tests and the demo: https://github.com/panva/node-oidc-provider with a few users and no passwords.
// It listens on a loopback address only. Keys, codes and tokens are gone when it ends.
//
//   ISSUER_ADDR     where it listens (127.0.0.1:8082)
//   ACCESS_SECONDS  how long an access token is valid (300)
//   CONSOLE_URL     where browsers find the console of dead-letter (http://127.0.0.1:8080)
//   BACKSTAGE_URL   where Backstage is whose users sign in here, with BACKSTAGE_CLIENT_SECRET

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { isIP } from 'node:net';

import Provider from 'oidc-provider';

// Whoever may sign in, with the groups that the policy and the ownership file name.
const GROUPS = {
  ada: ['checkout'],
  ben: ['checkout'],
  cleo: ['finance'],
  dora: [],
  root: ['platform'],
};
// RFC 8707: what access tokens are for. The service looks for the audience only.
const RESOURCE = 'urn:dead-letter';
const AUDIENCE = 'dead-letter';
// Bytes of a form.
const LARGEST_FORM = 4096;

const address = process.env.ISSUER_ADDR ?? '127.0.0.1:8082';
const consoleUrl = process.env.CONSOLE_URL ?? 'http://127.0.0.1:8080';
// The same machine by its name.
const consoleUrls = [consoleUrl, consoleUrl.replace('//127.0.0.1:', '//localhost:')];
const accessSeconds = Number(process.env.ACCESS_SECONDS ?? 300);
const colon = address.lastIndexOf(':');
const host = address.slice(0, colon);
const port = Number(address.slice(colon + 1));
if (isIP(host) !== 4 || !host.startsWith('127.')) {
  console.error(`issuer: ${address} is not a loopback address, and anybody can sign in here`);
  process.exit(2);
}

const escape = text => String(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);

const page = (title, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 26em; margin: 4em auto; padding: 0 1em }</style>
<h1>${title}</h1>
${body}
</html>
`;

const reasonOf = error => {
  if (!error) return 'Enter the code that the terminal shows.';
  if (error.name === 'AbortedError') return 'The sign-in was refused. Nobody is signed in.';
  return 'This code is not known, has expired, or was used already. Enter the code that the terminal shows.';
};

/** The pages of RFC 8628, section 3.3. `form` is the provider's, with its protection against forgery. */
const deviceFlow = {
  enabled: true,
  userCodeInputSource(ctx, form, _out, error) {
    ctx.body = page(
      'Sign in to dead-letter',
      `<p>${reasonOf(error)}</p>\n${form}\n<button type="submit" form="op.deviceInputForm">Continue</button>`,
    );
  },
  userCodeConfirmSource(ctx, form, client, _deviceInfo, userCode) {
    ctx.body = page(
      'Is this your code?',
      `<p>${escape(client.clientName)} shows this code in a terminal: <strong>${escape(userCode)}</strong></p>
<p>Continue only if you started this sign-in yourself.</p>
${form}
<button autofocus type="submit" form="op.deviceConfirmForm">Continue</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Refuse</button>`,
    );
  },
  async successSource(ctx) {
    // The next sign-in asks for a name again, so that one browser can sign in several users.
    await ctx.oidc.session.destroy();
    ctx.body = page('You are signed in', '<p>You can close this page and go back to the terminal.</p>');
  },
};

const resourceIndicators = {
  enabled: true,
  defaultResource: (_ctx, client) => (client.clientId === BACKSTAGE ? undefined : RESOURCE),
  useGrantedResource: () => true,
  getResourceServerInfo: () => ({
    scope: 'dead-letters',
    audience: AUDIENCE,
    accessTokenTTL: accessSeconds,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  }),
};

/** Whoever signs out in the console is asked for a name at the next sign-in. */
const rpInitiatedLogout = {
  enabled: true,
  logoutSource(ctx, form) {
    ctx.body = page(
      'Sign out',
      `${form}\n<button autofocus type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
    );
  },
  postLogoutSuccessSource(ctx) {
    ctx.body = page('You are signed out', '<p>You can close this page.</p>');
  },
};

/** Backstage, which asks for the profile of a user, and never calls dead-letter with these tokens. */
const BACKSTAGE = 'backstage';
const backstage = process.env.BACKSTAGE_URL && {
  client_id: BACKSTAGE,
  client_name: 'Backstage',
  client_secret: process.env.BACKSTAGE_CLIENT_SECRET,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: [`${process.env.BACKSTAGE_URL}/api/auth/oidc/handler/frame`],
  id_token_signed_response_alg: 'ES256',
};

/** Whoever signs in consents: there is no further question. */
async function loadExistingGrant({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid profile email offline_access');
  grant.addResourceScope(RESOURCE, 'dead-letters');
  await grant.save();
  return grant;
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const provider = new Provider(`http://${address}`, {
  clients: [
    {
      client_id: 'dead-letter-cli',
      client_name: 'dead-letter',
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: 'dead-letter-console',
      client_name: 'dead-letter console',
      // A web client may not have a redirect URI on this machine.
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: consoleUrls.map(url => `${url}/console/signed-in`),
      post_logout_redirect_uris: consoleUrls.map(url => `${url}/`),
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'ES256',
    },
    ...(backstage ? [backstage] : []),
  ],
  // Only the console asks from a page of another origin.
  clientBasedCORS: (_ctx, origin, client) => client.clientId === 'dead-letter-console' && consoleUrls.includes(origin),
  pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified'] },
  features: {
    devInteractions: { enabled: false },
    deviceFlow,
    resourceIndicators,
    rpInitiatedLogout,
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    userinfo: { enabled: backstage !== undefined },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) =>
    GROUPS[id] && {
      accountId: id,
      claims: () => ({
        sub: id,
        preferred_username: id,
        groups: GROUPS[id],
        email: `${id}@example.com`,
        email_verified: true,
      }),
    },
  extraTokenClaims: (_ctx, token) => ({ preferred_username: token.accountId, groups: GROUPS[token.accountId] }),
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  loadExistingGrant,
  ttl: {
    AccessToken: accessSeconds,
    DeviceCode: 600,
    Grant: 86_400,
    IdToken: 300,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 600,
  },
});
provider.on('server_error', (_ctx, error) => console.error('issuer:', error));

async function formOf(request) {
  let text = '';
  for await (const part of request) {
    text += part;
    if (text.length > LARGEST_FORM) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

/** The question who somebody is: a name is enough. */
async function signIn(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  let hint = `There are ${Object.keys(GROUPS).join(', ')}.`;
  if (request.method === 'POST') {
    const user = (await formOf(request)).get('user') ?? '';
    if (Object.hasOwn(GROUPS, user)) {
      return provider.interactionFinished(request, response, { login: { accountId: user }, consent: {} });
    }
    hint = `There is no such user. ${hint}`;
  }
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(
    page(
      'Who are you?',
      `<p>${hint}</p>
<form method="post" action="/interaction/${uid}">
<input name="user" placeholder="User name" autofocus autocomplete="off">
<button type="submit">Sign in</button>
</form>`,
    ),
  );
}

const callback = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    callback(request, response);
    return;
  }
  signIn(request, response).catch(error => {
    response.statusCode = 400;
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(`The sign-in cannot go on: ${error.message}\n`);
  });
});
server.listen(port, host, () => console.log(`issuer: http://${address}`));
