import { Link, Text } from '@backstage/ui';
import { FIRST_PAGE } from '../pages';
import { Palette } from '../palette/Palette';
import { Session } from '../session/Session';
import { SavedViews } from '../views/SavedViews';
import { ThemeMenu } from './ThemeMenu';
import { UserMenu } from './UserMenu';
import styles from './TopBar.module.css';

/** The installation, the ways to everything, and who has signed in. */
export function TopBar({ session }: { session: Session }) {
  return (
    <header className={styles.bar}>
      <Link href={FIRST_PAGE.path} weight="bold" standalone>
        dead-letter
      </Link>
      {session.settings.title && (
        <Text color="secondary">{session.settings.title}</Text>
      )}
      <nav aria-label="Console" className={styles.tools}>
        <Palette session={session} />
        <SavedViews />
        <ThemeMenu />
        <UserMenu session={session} />
      </nav>
    </header>
  );
}
