//! One look at the database for everybody who follows the same thing: however many they are, they cost it as much as one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::store::StoreError;

/// What a look has seen: how it is, that it is not there, or an error.
type Look<T> = Result<Option<Arc<T>>, Arc<StoreError>>;
/// What was seen last, if anything yet.
type Seen<T> = Option<Look<T>>;

/// What is followed now, by id. Clones share it.
#[derive(Debug)]
pub struct Lookout<T> {
    followed: Arc<Mutex<HashMap<Uuid, watch::Sender<Seen<T>>>>>,
    interval: Duration,
}

impl<T> Clone for Lookout<T> {
    fn clone(&self) -> Self {
        Self { followed: Arc::clone(&self.followed), interval: self.interval }
    }
}

/// Follows one thing. With the last of them, the looking ends.
#[derive(Debug)]
pub struct Follower<T>(watch::Receiver<Seen<T>>);

impl<T: PartialEq + Send + Sync + 'static> Lookout<T> {
    /// Looks this often.
    pub fn every(interval: Duration) -> Self {
        Self { followed: Arc::default(), interval }
    }

    /// Follows the thing of this id. The first follower's `look` is used for all.
    pub fn follow<Looking>(&self, id: Uuid, look: impl Fn() -> Looking + Send + Sync + 'static) -> Follower<T>
    where
        Looking: Future<Output = Result<Option<T>, StoreError>> + Send + 'static,
    {
        let mut followed = self.lock();
        if let Some(sender) = followed.get(&id) {
            return Follower(sender.subscribe());
        }
        let (sender, receiver) = watch::channel(None);
        followed.insert(id, sender.clone());
        tokio::spawn(self.clone().keep_looking(id, sender, look));
        Follower(receiver)
    }

    async fn keep_looking<Looking>(self, id: Uuid, sender: watch::Sender<Seen<T>>, look: impl Fn() -> Looking)
    where
        Looking: Future<Output = Result<Option<T>, StoreError>>,
    {
        let mut entry = Entry { lookout: &self, id, is_left: false };
        loop {
            let seen = look().await.map_err(Arc::new);
            let seen = seen.map(|now| now.map(|now| same_or_new(sender.borrow().as_ref(), now)));
            sender.send_replace(Some(seen));
            let _ = tokio::time::timeout(self.interval, sender.closed()).await;
            // Under the lock, so that nobody begins to follow meanwhile.
            let mut followed = self.lock();
            if sender.receiver_count() == 0 {
                followed.remove(&id);
                entry.is_left = true;
                return;
            }
        }
    }
}

impl<T> Lookout<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<Seen<T>>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was seen before, if it is the same: what followers have derived from it stays.
fn same_or_new<T: PartialEq>(before: Option<&Look<T>>, now: T) -> Arc<T> {
    match before {
        Some(Ok(Some(before))) if **before == now => Arc::clone(before),
        _ => Arc::new(now),
    }
}

/// An entry, which must not stay if a look panics: its followers would wait for ever.
struct Entry<'l, T> {
    lookout: &'l Lookout<T>,
    id: Uuid,
    is_left: bool,
}

impl<T> Drop for Entry<'_, T> {
    fn drop(&mut self) {
        if !self.is_left {
            self.lookout.lock().remove(&self.id);
        }
    }
}

impl<T> Follower<T> {
    /// What was seen last. Waits for the first look.
    pub async fn latest(&mut self) -> Look<T> {
        let seen = self.0.wait_for(Option::is_some).await;
        let ended = || Arc::new(StoreError::Inconsistent("nobody looks any longer".into()));
        seen.ok().and_then(|seen| seen.clone()).unwrap_or_else(|| Err(ended()))
    }

    /// What the next look sees.
    pub async fn next(&mut self) -> Look<T> {
        // Nobody looks any longer, which `latest` says.
        let _ = self.0.changed().await;
        self.latest().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    /// Each look waits for a permit, and sees how many were made before it.
    fn follow(lookout: &Lookout<u32>, permits: &Arc<Semaphore>, looks: &Arc<AtomicU32>) -> Follower<u32> {
        let (permits, looks) = (Arc::clone(permits), Arc::clone(looks));
        lookout.follow(ID, move || {
            let (permits, looks) = (Arc::clone(&permits), Arc::clone(&looks));
            async move {
                permits.acquire().await.unwrap().forget();
                Ok(Some(looks.fetch_add(1, Ordering::SeqCst)))
            }
        })
    }

    #[tokio::test]
    async fn many_followers_are_one_look() {
        let lookout = Lookout::every(Duration::from_millis(1));
        let (permits, looks) = (Arc::new(Semaphore::new(0)), Arc::default());
        let mut followers: Vec<_> = (0..100).map(|_| follow(&lookout, &permits, &looks)).collect();
        for round in 0..5 {
            permits.add_permits(1);
            for follower in &mut followers {
                let seen = if round == 0 { follower.latest().await } else { follower.next().await };
                assert_eq!(seen.unwrap(), Some(Arc::new(round)));
            }
        }
        drop(followers);
        permits.add_permits(1);
        while !lookout.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        permits.add_permits(1);
        let mut follower = follow(&lookout, &permits, &looks);
        assert_eq!(
            *follower.latest().await.unwrap().unwrap(),
            looks.load(Ordering::SeqCst) - 1,
            "it begins anew"
        );
    }

    #[tokio::test]
    async fn a_look_that_panics_leaves_nobody_waiting() {
        let lookout = Lookout::<u32>::every(Duration::from_millis(1));
        let mut follower = lookout.follow(ID, async || panic!("a fault"));
        assert!(follower.latest().await.is_err());
        assert!(lookout.lock().is_empty());
    }
}
