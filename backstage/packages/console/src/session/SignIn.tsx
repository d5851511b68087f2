import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  Flex,
  PasswordField,
  Text,
} from '@backstage/ui';
import { useState } from 'react';
import { Reason, Session } from './Session';
import styles from './SignIn.module.css';

const SAID: Record<Reason, string | undefined> = {
  new: undefined,
  refused: 'The issuer did not sign you in. Try again.',
  expired: 'Your sign-in has expired. Sign in again.',
};

interface SignInProps {
  session: Session;
  reason: Reason;
}

/** The ways in that the service knows. */
export function SignIn({ session, reason }: SignInProps) {
  const { settings } = session;
  const said = SAID[reason];
  return (
    <main className={styles.page}>
      <Card className={styles.card}>
        <CardHeader>
          <Text as="h1" variant="title-small">
            Sign in to dead-letter
          </Text>
          {settings.title && <Text color="secondary">{settings.title}</Text>}
        </CardHeader>
        <CardBody>
          <Flex direction="column" gap="4">
            {said && <Alert role="alert" status="warning" icon title={said} />}
            {settings.oidc && (
              <WithIssuer session={session} issuer={settings.oidc.issuer} />
            )}
            {settings.tokens && <WithToken session={session} />}
            {!settings.oidc && !settings.tokens && (
              <Text>
                This service accepts tokens of Backstage only. Open the plugin
                in Backstage, or set DEAD_LETTER_OIDC_ISSUER or
                DEAD_LETTER_TOKENS_FILE.
              </Text>
            )}
          </Flex>
        </CardBody>
      </Card>
    </main>
  );
}

function WithIssuer({ session, issuer }: { session: Session; issuer: string }) {
  const [state, setState] = useState<'idle' | 'leaving' | 'failed'>('idle');
  const leave = async () => {
    setState('leaving');
    try {
      await session.signInWithIssuer();
    } catch {
      setState('failed');
    }
  };
  return (
    <>
      {state === 'failed' && (
        <Alert
          role="alert"
          status="danger"
          icon
          title={`${issuer} cannot be reached from this browser`}
        />
      )}
      <Button
        variant="primary"
        isPending={state === 'leaving'}
        onPress={() => void leave()}
      >
        {`Sign in with ${new URL(issuer).host}`}
      </Button>
    </>
  );
}

function WithToken({ session }: { session: Session }) {
  const [token, setToken] = useState('');
  const given = token.trim();
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        if (given) session.signInWithToken(given);
      }}
    >
      <Flex direction="column" gap="3">
        <PasswordField
          label="Token"
          description="From dead-letter token new. This tab forgets it when it is closed."
          autoComplete="off"
          value={token}
          onChange={setToken}
        />
        <Button type="submit" variant="secondary" isDisabled={given === ''}>
          Sign in with the token
        </Button>
      </Flex>
    </form>
  );
}
