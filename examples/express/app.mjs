// An app whose requests Vestry authenticates. CLERK_SECRET_KEY, CLERK_PUBLISHABLE_KEY and CLERK_API_URL are what
// `vestry keys --env` prints, in the environment or in a file .env; PORT is 3000 unless it says otherwise.
import { clerkClient, clerkMiddleware, getAuth, requireAuth } from '@clerk/express';
import express from 'express';

const app = express();
app.use(clerkMiddleware());

// An API: 401 for who is not signed in.
app.get('/api/me', async (request, response) => {
  const { userId, sessionId } = getAuth(request);
  if (!userId) return response.status(401).json({ error: 'unauthenticated' });
  const { primaryEmailAddress } = await clerkClient.users.getUser(userId);
  response.json({ userId, sessionId, emailAddress: primaryEmailAddress?.emailAddress ?? null });
});

// A page: who is not signed in is sent to sign in.
app.get('/account', requireAuth({ signInUrl: '/sign-in' }), (request, response) => response.send(getAuth(request).userId));

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
