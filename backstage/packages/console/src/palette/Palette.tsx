import { useApi } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogHeader,
  SearchField,
} from '@backstage/ui';
import { RiCompass3Line } from '@remixicon/react';
import { deadLetterApiRef } from '@dead-letter/backstage-plugin-dead-letter/src/console';
import { useEffect, useMemo, useState } from 'react';
import {
  Autocomplete,
  Header,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  Text,
} from 'react-aria-components';
import { useNavigate } from 'react-router-dom';
import { Session } from '../session/Session';
import { Place, Places, usePlaces } from './usePlaces';
import styles from './Palette.module.css';

const KEYS = /mac/i.test(navigator.platform) ? '⌘ K' : 'Ctrl K';

/** Goes anywhere by a few letters. */
export function Palette({ session }: { session: Session }) {
  const [isOpen, setOpen] = useState(false);
  // What was typed before is gone, also where it is opened again while it closes.
  const [opened, setOpened] = useState(0);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || event.altKey) return;
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      setOpened(before => before + 1);
      setOpen(before => !before);
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
  return (
    <>
      <Button
        size="small"
        variant="secondary"
        iconStart={<RiCompass3Line />}
        aria-keyshortcuts="Control+K Meta+K"
        onPress={() => {
          setOpened(before => before + 1);
          setOpen(true);
        }}
      >
        Go to … <span className={styles.keys}>{KEYS}</span>
      </Button>
      <Dialog isOpen={isOpen} onOpenChange={setOpen} width={620}>
        <DialogHeader>Go to</DialogHeader>
        <DialogBody>
          <Choice
            key={opened}
            session={session}
            onChosen={() => setOpen(false)}
          />
        </DialogBody>
      </Dialog>
    </>
  );
}

interface ChoiceProps {
  session: Session;
  onChosen: () => void;
}

function Choice({ session, onChosen }: ChoiceProps) {
  const api = useApi(deadLetterApiRef);
  const client = useMemo(() => api.at(api.environments[0]), [api]);
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const places = usePlaces(session, client, typed);
  const addresses = new Map(
    places.flatMap(kind => kind.places).map(each => [each.id, each.address]),
  );
  return (
    <Autocomplete inputValue={typed} onInputChange={setTyped}>
      <SearchField
        // Who opens it wants to type.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        aria-label="Page, service, squad, error or id"
        placeholder="Page, service, squad, error or id"
      />
      {/* By keyboard too it must be possible to scroll it. */}
      <div
        className={styles.scroll}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="group"
        aria-label="Places"
      >
        <ListBox
          aria-label="Places"
          className={styles.places}
          selectionMode="none"
          renderEmptyState={() => 'Nothing is called that.'}
          onAction={id => {
            const address = addresses.get(String(id));
            if (!address) return;
            onChosen();
            navigate(address);
          }}
        >
          {places.map(each => (
            <Kind key={each.title} kind={each} />
          ))}
        </ListBox>
      </div>
    </Autocomplete>
  );
}

function Kind({ kind }: { kind: Places }) {
  return (
    <ListBoxSection id={kind.title}>
      <Header className={styles.kind}>{kind.title}</Header>
      {kind.places.map(each => (
        <Item key={each.id} place={each} />
      ))}
    </ListBoxSection>
  );
}

function Item({ place }: { place: Place }) {
  return (
    <ListBoxItem id={place.id} textValue={place.name} className={styles.place}>
      <Text slot="label">{place.name}</Text>
      {place.hint && (
        <Text slot="description" className={styles.hint}>
          {place.hint}
        </Text>
      )}
    </ListBoxItem>
  );
}
